import type { Http2Session } from 'node:http2';

/**
 * Lets connections with many streams be read one after the other, a turn of the event loop each,
 * where one alone brings more than a turn has time for.
 *
 * Why: what opens and ends streams is a few bytes each. All that has come by all connections is
 * taken in in the same turn, and Node's own part of ending a stream is not ours to put off: ten
 * thousand that were cancelled at once took 0.2 s in which nobody was answered.
 * Behaviour: whoever overran a turn is read again when a turn is not overrun, or as many turns later
 * as there are such connections, so that each has one. A connection with few streams, such as the
 * one of a health check, is never held up.
 */
export interface ReadingTurns {
  /** What came by this connection was more than the turn has time for. */
  overran(session: Http2Session): void;
}

/** The streams that are open on each connection. */
export type StreamsOf = ReadonlyMap<Http2Session, { readonly size: number }>;

/** Streams of a connection that cannot bring much at once. */
const fewStreams = 64;

export function createReadingTurns(streamsOf: StreamsOf): ReadingTurns {
  const stopped = new Set<Http2Session>();
  /** The turn in which each that overran one is read again. */
  const restsUntil = new Map<Http2Session, number>();
  let turnNumber = 0;
  let hasOverrun = false;
  let isTurning = false;

  const turn = () => {
    turnNumber += 1;
    if (!hasOverrun) restsUntil.clear();
    for (const session of stopped) {
      if ((restsUntil.get(session) ?? 0) > turnNumber) continue;
      restsUntil.delete(session);
      stopped.delete(session);
      handleOf(session)?.readStart();
    }
    isTurning = hasOverrun;
    hasOverrun = false;
    if (isTurning) setImmediate(turn);
  };
  const stopCrowded = () => {
    for (const [session, { size }] of streamsOf) {
      if (size < fewStreams) continue;
      stopped.add(session);
      handleOf(session)?.readStop();
    }
  };

  return {
    overran(session) {
      if (!hasOverrun) {
        hasOverrun = true;
        stopCrowded();
      }
      if (stopped.has(session) && !restsUntil.has(session)) {
        restsUntil.set(session, turnNumber + stopped.size);
      }
      if (isTurning) return;
      isTurning = true;
      setImmediate(turn);
    },
  };
}

/** Of a socket that HTTP/2 has taken over; Node has no public name for it, whose `pause` then throws. */
interface Handle {
  readStart(): void;
  readStop(): void;
}

function handleOf({ destroyed, socket }: Http2Session): Handle | null {
  if (destroyed) return null;
  const { _handle: handle } = socket as { _handle?: Partial<Handle> | null };
  return typeof handle?.readStop === 'function' && typeof handle.readStart === 'function'
    ? (handle as Handle)
    : null;
}
