import { move, transferableSymbol, valueSymbol } from 'piscina';
import sharp from 'sharp';
import { type PrepareAnswer, type PrepareTask, preparePlanes } from './prepare-planes.js';

// The pool is the parallelism: one thread a plane, and no cache, for no file comes twice.
sharp.concurrency(1);
sharp.cache(false);

/** What a worker thread of the Preparer runs; the pixels are moved back, not copied. */
export async function prepare(task: PrepareTask): Promise<PrepareAnswer> {
  const answer = await preparePlanes(task);
  if ('faults' in answer) return answer;
  const moved = move({ [transferableSymbol]: answer.pixels.buffer, [valueSymbol]: answer });
  // `move` wraps the answer for the way back; the other side receives it unwrapped
  return moved as unknown as PrepareAnswer;
}
