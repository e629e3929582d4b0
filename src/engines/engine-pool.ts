import { DomainError } from '../errors.js';
import type { Engine, Session, SessionSpec } from './engine.js';

/** A Session of one engine of the pool, and how many runs it was given that have not ended. */
interface Member {
  readonly session: Session;
  runs: number;
}

/**
 * Several engines as one: every model is loaded in each, and a run goes to the engine with
 * the fewest runs, so that as many batches run at once as there are engines.
 *
 * Behaviour: an engine that restarts, or has the model not loaded again yet, gets no run while
 * another is ready; so a batch that a crash took is tried again by another at once. A model that
 * one of them refuses is refused.
 * Use: cores that one model cannot fill, or fills badly: the threads of one run wait for
 * the slowest of them, those of several runs wait for nobody.
 */
export function createEnginePool(engines: readonly [Engine, ...Engine[]]): Engine {
  const load = async (spec: SessionSpec): Promise<Session> => {
    const loads = await Promise.allSettled(engines.map((engine) => engine.load(spec)));
    const sessions = loads.flatMap((load) => (load.status === 'fulfilled' ? [load.value] : []));
    const refusal = loads.find((load) => load.status === 'rejected');
    if (refusal) {
      await Promise.allSettled(sessions.map((session) => session.close()));
      throw DomainError.from(refusal.reason);
    }
    return poolOf(sessions);
  };
  const last = engines.at(-1) ?? engines[0];
  const loadGraph = last.loadGraph?.bind(last);
  return {
    name: engines[0].name,
    precision: engines[0].precision ?? 'full',
    resize: engines[0].resize ?? 'host',
    ...(engines[0].batchSizes ? { batchSizes: engines[0].batchSizes } : {}),
    load,
    // In one of them: what is asked for seldom must not keep the others from their batches.
    ...(loadGraph ? { loadGraph } : {}),
    async close() {
      await Promise.all(engines.map((engine) => engine.close()));
    },
    abandon: () => engines.reduce((sum, engine) => sum + (engine.abandon?.() ?? 0), 0),
  };
}

function poolOf(sessions: readonly Session[]): Session {
  const members: readonly Member[] = sessions.map((session) => ({ session, runs: 0 }));
  return {
    // More than one where a restart brought the model to another place.
    get device() {
      return [...new Set(sessions.map(({ device }) => device))].join(' and ');
    },
    get precision() {
      return sessions[0]?.precision ?? 'full';
    },
    lanes: sessions.reduce((sum, { lanes }) => sum + lanes, 0),
    copies: sessions.reduce((sum, { copies }) => sum + copies, 0),
    get isReady() {
      return sessions.some(({ isReady }) => isReady);
    },
    onReload(check) {
      for (const session of sessions) session.onReload?.(check);
    },
    async run(input, batchSize, wish) {
      const member = leastBusy(members);
      member.runs += 1;
      try {
        return await member.session.run(input, batchSize, wish);
      } finally {
        member.runs -= 1;
      }
    },
    async close() {
      await Promise.all(sessions.map((session) => session.close()));
    },
  };
}

/** The member with the fewest runs a lane among those that are ready, else among all. */
function leastBusy(members: readonly Member[]): Member {
  let best: Member | undefined;
  const loadOf = ({ session, runs }: Member) =>
    runs / session.lanes + (session.isReady ? 0 : Number.MAX_SAFE_INTEGER);
  for (const member of members) {
    if (best === undefined || loadOf(member) < loadOf(best)) best = member;
  }
  if (best === undefined) throw new Error('bug: an engine pool without engines');
  return best;
}
