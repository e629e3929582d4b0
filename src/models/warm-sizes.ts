import { mayGainMore } from '../batching/index.js';
import type { Session } from '../engines/index.js';
import { DomainError } from '../errors.js';

/** What a session is warmed with, and what is expected of each row of each batch. */
export interface WarmRow {
  /** Uint8, as the session takes one frame. */
  readonly row: Uint8Array;
  readonly labelCount: number;
  /** What is wrong with one row of an answer; null if nothing is. */
  readonly findFault: (
    answer: { readonly probabilities: Float32Array; readonly distance: number | undefined },
    batchSize: number,
  ) => string | null;
}

/**
 * Runs batches of one frame in every row, by ascending size, up to those that gain nothing.
 * Returns what a run of each size takes, in milliseconds. Throws `model_failed` with what is
 * wrong with a row, and what a run throws.
 */
export async function warmSizes(
  session: Session,
  batchSizes: readonly number[],
  check: WarmRow,
): Promise<ReadonlyMap<number, number>> {
  const warmRunMs = new Map<number, number>();
  for (const batchSize of batchSizes) {
    // Every copy at once, as they will run.
    const copies = Array.from({ length: session.copies }, () => warm(session, batchSize, check));
    warmRunMs.set(batchSize, Math.min(...(await Promise.all(copies))));
    if (!mayGainMore(warmRunMs)) break;
  }
  return warmRunMs;
}

/**
 * Runs each size once, in a session that comes back and whose times are known. Throws as
 * `warmSizes`.
 */
export async function checkSizes(
  run: Session['run'],
  batchSizes: readonly number[],
  check: WarmRow,
): Promise<void> {
  for (const batchSize of batchSizes) {
    assertAnswer(await run(stack(check, batchSize), batchSize), batchSize, check);
  }
}

/** Returns what a run takes, in milliseconds: the best of two after a cold one. */
async function warm(session: Session, batchSize: number, check: WarmRow): Promise<number> {
  const cold = await session.run(stack(check, batchSize), batchSize);
  const first = await session.run(cold.input, batchSize);
  const last = await session.run(first.input, batchSize);
  assertAnswer(last, batchSize, check);
  return Math.min(first.runMs, last.runMs);
}

function stack({ row }: WarmRow, batchSize: number): Uint8Array {
  const input = new Uint8Array(batchSize * row.byteLength);
  for (let at = 0; at < batchSize; at += 1) input.set(row, at * row.byteLength);
  return input;
}

function assertAnswer(
  { probabilities, distances }: Awaited<ReturnType<Session['run']>>,
  batchSize: number,
  { labelCount, findFault }: WarmRow,
): void {
  for (let at = 0; at < batchSize; at += 1) {
    const output = probabilities.subarray(at * labelCount, (at + 1) * labelCount);
    const fault = findFault({ probabilities: output, distance: distances?.[at] }, batchSize);
    if (fault !== null) throw new DomainError('model_failed', fault);
  }
}
