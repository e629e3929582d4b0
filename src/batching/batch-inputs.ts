import type { Ticket } from './ticket.js';

/** The buffers that batches are stacked in, filled again once they come back. */
export class BatchInputs {
  readonly #free = new Map<number, Uint8Array[]>();

  /**
   * Copies the tensors into uint8 `[batchSize, C, H, W]`, which owns its buffer. The rows
   * of padding keep what they held: nothing of their answer is ever read.
   */
  stack(tickets: readonly Ticket[], batchSize: number): Uint8Array {
    const rowBytes = tickets[0]?.pixels.byteLength ?? 0;
    const byteLength = batchSize * rowBytes;
    const free = this.#free.get(batchSize)?.pop();
    const input = free?.byteLength === byteLength ? free : new Uint8Array(byteLength);
    for (const [index, { pixels }] of tickets.entries()) input.set(pixels, index * rowBytes);
    return input;
  }

  giveBack(input: Uint8Array, batchSize: number): void {
    const free = this.#free.get(batchSize);
    if (free) free.push(input);
    else this.#free.set(batchSize, [input]);
  }
}
