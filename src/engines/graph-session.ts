import { DomainError } from '../errors.js';
import type { GraphSession, GraphSpec } from './engine.js';
import type { WorkerLink } from './worker-link.js';

/**
 * A graph in the worker behind `link`, which may be another one later: it is loaded in each
 * when it is first run there, since it is asked for seldom.
 */
export async function openGraphSession(
  { graph, sessionId }: { readonly graph: GraphSpec; readonly sessionId: number },
  /** The worker that runs now. Throws `not_ready` where there is none. */
  link: () => Promise<WorkerLink>,
  /** Hears, at each load, what an operator should know of where it runs. */
  onNote: (note: string) => void,
): Promise<GraphSession> {
  let held: { readonly at: WorkerLink; readonly loaded: Promise<void> } | null = null;
  let isClosed = false;
  const load = async (at: WorkerLink): Promise<void> => {
    const reply = await at.ask({ kind: 'loadGraph', sessionId, graph });
    if (reply.kind === 'done' && reply.note) onNote(reply.note);
  };
  const ready = async (): Promise<WorkerLink> => {
    if (isClosed) throw new DomainError('not_ready', 'the graph is closed');
    const at = await link();
    if (held?.at !== at) held = { at, loaded: load(at) };
    const { loaded } = held;
    await loaded.catch((error: unknown) => {
      // The next run asks again: memory may be free by then.
      if (held?.loaded === loaded) held = null;
      throw error;
    });
    return at;
  };
  await ready();
  return {
    async run(inputs) {
      const reply = await (await ready()).ask({ kind: 'runGraph', sessionId, inputs });
      if (reply.kind === 'graphRan') return reply;
      throw new DomainError('internal', 'internal error', {
        cause: new Error(`bug: a run was answered with ${reply.kind}`),
      });
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      // A worker that ended has nothing left to unload.
      await held?.at.ask({ kind: 'unload', sessionId }).catch(() => {});
    },
  };
}
