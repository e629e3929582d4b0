// A server with an engine that takes orders from the process that started it. Argument: a
// ServerProcessSpec as JSON. Prints its ports as `serve --json` does; SIGTERM drains it.
import { availableParallelism } from 'node:os';
import { type ConfigInput, parseConfig } from '../../src/config.js';
import { relaxCollector, startServer } from '../../src/server.js';
import { createLog } from '../../src/telemetry/index.js';
import { openBreakableEngine } from '../chaos/breakable-engine.js';
import type { OrderedEngine, ServerOrder } from './ordered-engine.js';
import { createVersionedEngine } from './versioned-engine.js';

/** What kind of engine a server gets, and its settings. */
export interface ServerProcessSpec {
  readonly engine:
    | { readonly kind: 'fake'; readonly runMs: number }
    /** The real runtime, in workers that crash and hang when they are told to. */
    | { readonly kind: 'breakable'; readonly runTimeoutMs: number };
  readonly config: ConfigInput;
}

const spec = JSON.parse(process.argv[2] ?? '') as ServerProcessSpec; // its one sender is launch.ts
const parsed = parseConfig(spec.config, {});
if ('faults' in parsed) throw new Error(parsed.faults.join('; '));
const log = createLog({ level: 'info' });
// As `serve` does.
relaxCollector();
const { engine, obey } = await openOrderedEngine();
process.on('message', (order) => obey(order as ServerOrder));
const server = await startServer(parsed.value, { engine, log });
process.once('SIGTERM', async () => {
  await server.drain();
  process.disconnect();
});
// Whoever started it is gone: nobody is to be served any more.
process.once('disconnect', () => process.exit());
console.log(JSON.stringify({ port: server.port, httpPort: server.httpPort }));

async function openOrderedEngine(): Promise<OrderedEngine> {
  if (spec.engine.kind === 'breakable') {
    const { runTimeoutMs } = spec.engine;
    return openBreakableEngine({ runTimeoutMs, workers: Math.min(2, availableParallelism()) }, log);
  }
  const fake = createVersionedEngine(spec.engine);
  return {
    engine: fake,
    obey: (order) => (order.kind === 'stall' ? fake.stall(order.forMs) : undefined),
  };
}
