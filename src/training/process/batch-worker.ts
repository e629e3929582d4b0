import { move } from 'piscina';
import { type BatchOrder, fillBatch } from './fill-batch.js';

/** What a thread of the loader runs; the pixels are moved back, not copied. */
export function prepareBatch(order: BatchOrder): Uint8Array {
  // `move` wraps the answer for the way back; the other side receives it unwrapped
  return move(fillBatch(order)) as unknown as Uint8Array;
}
