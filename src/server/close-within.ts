import type { Engine } from '../engines/index.js';
import type { Log } from '../log.js';

/** What closing gets at least: most engines end their batch in that time. */
const leastMs = 200;
/** For who need not end within a grace period: half of it is what a run gets to stop. */
export const unhurriedMs = 20_000;

export interface CloseWithinCollaborators {
  /** Idempotent. */
  readonly close: () => Promise<void>;
  readonly engine: Pick<Engine, 'name' | 'abandon'>;
  readonly log: Pick<Log, 'warn' | 'error'>;
}

/**
 * Closes what a server consists of, in the time that is left, a fifth of a second at least: 1. waits
 * half of it  2. abandons what the engine runs still, so that all that waits for it ends
 * 3. waits the other half  4. leaves the rest to the end of the process. What was abandoned or
 * left is logged. Throws what closing threw.
 */
export async function closeWithin(
  leftMs: number,
  { close, engine, log }: CloseWithinCollaborators,
): Promise<void> {
  const partMs = Math.max(leastMs, leftMs) / 2;
  const closed = close().then(() => true);
  closed.catch(() => {}); // told to whoever still waits
  if (await isTrueWithin(partMs, closed)) return;
  const unanswered = engine.abandon?.() ?? 0;
  log.warn({ engine: engine.name, unanswered }, 'the engine hangs and is abandoned');
  if (await isTrueWithin(partMs, closed)) return;
  log.error({}, 'something could not be closed and is left to the end of the process');
}

async function isTrueWithin(delayMs: number, promise: Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), delayMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
