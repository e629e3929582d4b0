import { DomainError } from '../errors.js';
import type { Engine, GraphSession, GraphSpec } from './engine.js';

/**
 * An engine that runs models alone, with graphs run beside it by another, which starts when
 * the first is loaded: where batches go to another server or runtime, what is asked for
 * seldom is run here. An engine that runs graphs itself is given back as it is.
 */
export function withGraphs(engine: Engine, start: () => Promise<Engine>): Engine {
  if (engine.loadGraph) return engine;
  let beside: Promise<Engine> | null = null;
  let running: Engine | null = null;
  const started = (): Promise<Engine> => {
    beside ??= start();
    beside.then(
      (graphs) => {
        running = graphs;
      },
      () => {
        beside = null; // it may start another time
      },
    );
    return beside;
  };
  return {
    name: engine.name,
    precision: engine.precision ?? 'full',
    load: (spec) => engine.load(spec),
    async loadGraph(graph: GraphSpec): Promise<GraphSession> {
      const graphs = await started();
      if (graphs.loadGraph) return graphs.loadGraph(graph);
      throw new DomainError('unsupported', `the engine ${graphs.name} runs models alone`);
    },
    async close() {
      const other = await beside?.catch(() => null);
      await Promise.all([engine.close(), other?.close()]);
    },
    abandon: () => (engine.abandon?.() ?? 0) + (running?.abandon?.() ?? 0),
  };
}
