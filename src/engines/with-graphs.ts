import { DomainError } from '../errors.js';
import type { Engine, GraphSession, GraphSpec } from './engine.js';

/**
 * An engine that runs models alone, with graphs run beside it by another, which starts when
 * the first is loaded: where batches go to another server or runtime, what is asked for
 * seldom is run here. An engine that runs graphs itself is given back as it is.
 *
 * Behaviour: both are closed at once; one that is still starting then closes itself once it has,
 * which `close` waits for unless the engine was abandoned.
 */
export function withGraphs(engine: Engine, start: () => Promise<Engine>): Engine {
  if (engine.loadGraph) return engine;
  let beside: Promise<Engine> | null = null;
  let running: Engine | null = null;
  let isClosed = false;
  /** Ends the loads that wait for it to start. */
  const waiting = new Set<(error: DomainError) => void>();

  const startBeside = async (): Promise<Engine> => {
    const graphs = await start().catch((error: unknown) => {
      beside = null; // it may start another time
      throw error;
    });
    running = graphs;
    if (!isClosed) return graphs;
    await graphs.close();
    throw closed();
  };
  const started = (): Promise<Engine> =>
    new Promise((resolve, reject) => {
      beside ??= startBeside();
      waiting.add(reject);
      beside.then(resolve, reject).finally(() => waiting.delete(reject));
    });

  return {
    ...engine,
    load: (spec) => engine.load(spec),
    async loadGraph(graph: GraphSpec): Promise<GraphSession> {
      if (isClosed) throw closed();
      const graphs = await started();
      if (graphs.loadGraph) return graphs.loadGraph(graph);
      throw new DomainError('unsupported', `the engine ${graphs.name} runs models alone`);
    },
    async close() {
      isClosed = true;
      await Promise.all([engine.close(), running?.close(), beside?.catch(() => {})]);
    },
    abandon() {
      isClosed = true;
      beside = null;
      const unanswered = (engine.abandon?.() ?? 0) + (running?.abandon?.() ?? 0) + waiting.size;
      for (const reject of waiting) reject(closed());
      waiting.clear();
      return unanswered;
    },
  };
}

function closed(): DomainError {
  return new DomainError('not_ready', 'the engine is closed');
}
