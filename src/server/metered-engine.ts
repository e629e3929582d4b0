import type { Engine } from '../engines/index.js';
import type { Metrics } from '../telemetry/index.js';

/** The same engine, whose runs are counted: executions and rows apart from frames. */
export function meterEngine(engine: Engine, metrics: Metrics): Engine {
  return {
    name: engine.name,
    async load(spec) {
      const session = await engine.load(spec);
      return {
        device: session.device,
        async run(input, batchSize) {
          const result = await session.run(input, batchSize);
          metrics.engineRan(batchSize, result.runMs / 1000);
          return result;
        },
        close: () => session.close(),
      };
    },
    close: () => engine.close(),
  };
}
