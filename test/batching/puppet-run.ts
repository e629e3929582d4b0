import { setImmediate as turn } from 'node:timers/promises';
import type { RunBatch } from '../../src/batching/index.js';

/** A test tensor: its number, several times over, so that mixed rows are seen. */
export function tensorOf(number: number, byteLength = 16): Uint8Array {
  return new Uint8Array(new Uint32Array(byteLength / 4).fill(number).buffer);
}

/** What a row of this tensor is answered. */
export function rowOf(number: number): readonly number[] {
  return [number, number + 0.5];
}

/** A run that the test ends. */
export interface PuppetCall {
  readonly batchSize: number;
  /** The numbers in all rows, padding included. */
  readonly numbers: readonly number[];
  readonly buffer: ArrayBufferLike;
  readonly wish: Parameters<RunBatch>[2];
  answer(runMs?: number): void;
  fail(error: unknown): void;
}

/** A run function whose every run the test ends; takes its input over as an engine does. */
export function createPuppetRun() {
  const calls: PuppetCall[] = [];
  const openCalls = new Set<PuppetCall>();
  let mostOpen = 0;
  const run: RunBatch = (given, batchSize, wish) => {
    if (given.byteOffset !== 0 || given.byteLength !== given.buffer.byteLength) {
      throw new Error('an input does not own its buffer');
    }
    const buffer = given.buffer;
    const input = structuredClone(given, { transfer: [given.buffer as ArrayBuffer] });
    const words = new Uint32Array(input.buffer);
    const rowWords = words.length / batchSize;
    const numbers = Array.from({ length: batchSize }, (_, row) => {
      const parts = words.subarray(row * rowWords, (row + 1) * rowWords);
      if (new Set(parts).size !== 1) throw new Error('a row is mixed of two tensors');
      return parts[0] ?? -1;
    });
    return new Promise((resolve, reject) => {
      const call: PuppetCall = {
        batchSize,
        numbers,
        buffer,
        wish,
        answer(runMs = 1) {
          openCalls.delete(call);
          resolve({
            probabilities: new Float32Array(numbers.flatMap(rowOf)),
            distances: new Float32Array(numbers),
            input,
            runMs,
          });
        },
        fail(error) {
          openCalls.delete(call);
          reject(error);
        },
      };
      calls.push(call);
      openCalls.add(call);
      mostOpen = Math.max(mostOpen, openCalls.size);
    });
  };
  return {
    run,
    calls,
    get isOpen() {
      return openCalls.size > 0;
    },
    /** Most runs that were open at once. */
    get mostOpen() {
      return mostOpen;
    },
    /** The run that began first of those that are open. Throws if there is none. */
    oldest(): PuppetCall {
      for (const call of openCalls) return call;
      throw new Error('nothing runs');
    },
    /** The newest run. Throws if there is none. */
    last(): PuppetCall {
      const call = calls.at(-1);
      if (!call) throw new Error('nothing was run');
      return call;
    },
  };
}

/** Lets everything happen that waits for nothing outside. */
export async function settle(): Promise<void> {
  await turn();
}

/** What became of a promise so far. */
export function watch<T>(promise: Promise<T>) {
  const seen: { value?: T; error?: unknown; settled: number } = { settled: 0 };
  promise.then(
    (value) => {
      seen.value = value;
      seen.settled += 1;
    },
    (error: unknown) => {
      seen.error = error;
      seen.settled += 1;
    },
  );
  return seen;
}
