import { move } from 'piscina';
import { type BatchOrder, fillBatch } from './fill-batch.js';
import { readFrameAt } from './frame-source.js';

/** A batch to be put together from an open file of this process. */
export interface BatchTask {
  readonly order: BatchOrder;
  readonly file: { readonly descriptor: number; readonly firstByte: number };
  readonly frameBytes: number;
}

/** What a thread of the loader runs; the pixels are moved back, not copied. */
export function prepareBatch({ order, file, frameBytes }: BatchTask): Uint8Array {
  const pixels = fillBatch(order, (index, into) => readFrameAt(file, { index, frameBytes }, into));
  // `move` wraps the answer for the way back; the other side receives it unwrapped
  return move(pixels) as unknown as Uint8Array;
}
