import { setTimeout as pause } from 'node:timers/promises';
import { DomainError } from '../errors.js';
import { assertRows } from './check-input.js';
import type { Engine, Session } from './engine.js';

export interface FakeEngineOptions {
  /** What a run takes, by its batch size, in milliseconds. @default 0: done within the same turn */
  readonly runMs: number | ((batchSize: number) => number);
  /** How a run passes its time. @default a timer */
  readonly wait: (delayMs: number) => Promise<unknown>;
}

/**
 * An engine without a model: the probabilities of a row depend on every one of its pixels
 * and on nothing else, so that an answer that went to another frame is seen.
 *
 * Behaviour: inputs are taken over and handed back as by a worker, runs are one at a time.
 * Use: tests, and benchmarks of what lies around the model.
 */
export function createFakeEngine(options: Partial<FakeEngineOptions> = {}): Engine {
  const { runMs = 0, wait = pause } = options;
  const timeOf = typeof runMs === 'number' ? () => runMs : runMs;
  let last: Promise<unknown> = Promise.resolve();
  let isClosed = false;

  const load = async ({
    inputShape,
    labelCount,
  }: Parameters<Engine['load']>[0]): Promise<Session> => {
    if (isClosed) throw new DomainError('not_ready', 'the engine is closed');
    const rowBytes = inputShape.reduce((product, size) => product * size, 1);
    let isUnloaded = false;

    const runOne = async (input: Uint8Array, batchSize: number) => {
      const delayMs = timeOf(batchSize);
      if (delayMs > 0) await wait(delayMs);
      const probabilities = new Float32Array(batchSize * labelCount);
      for (let row = 0; row < batchSize; row += 1) {
        const pixels = input.subarray(row * rowBytes, (row + 1) * rowBytes);
        probabilities.set(fakeProbabilities(pixels, labelCount), row * labelCount);
      }
      return { probabilities, input, runMs: delayMs };
    };

    return {
      device: 'fake/cpu',
      precision: 'full',
      lanes: 1,
      copies: 1,
      isReady: true,
      async run(input, batchSize) {
        if (isClosed || isUnloaded) throw new DomainError('not_ready', 'the engine is closed');
        assertRows(input, batchSize, { inputShape });
        const taken = structuredClone(input, { transfer: [input.buffer as ArrayBuffer] });
        const ran = last.then(() => runOne(taken, batchSize));
        last = ran.catch(() => {});
        return ran;
      },
      async close() {
        isUnloaded = true;
      },
    };
  };

  return {
    name: 'fake',
    load,
    async close() {
      isClosed = true;
      await last;
    },
  };
}

/** What the fake engine answers for these pixels: one number in 0..1 a label. */
export function fakeProbabilities(pixels: Uint8Array, labelCount: number): Float32Array {
  let hash = hashOf(pixels);
  const probabilities = new Float32Array(labelCount);
  for (let label = 0; label < labelCount; label += 1) {
    hash = Math.imul(hash ^ label, 0x85ebca6b);
    hash ^= hash >>> 13;
    probabilities[label] = (hash >>> 8) / 2 ** 24;
  }
  return probabilities;
}

/** FNV-1a over words, in four lanes that do not wait for each other: some 20 µs for 64 KiB. */
function hashOf(pixels: Uint8Array): number {
  const isAligned = pixels.byteOffset % 4 === 0 && pixels.byteLength % 4 === 0;
  const words = isAligned
    ? new Uint32Array(pixels.buffer, pixels.byteOffset, pixels.byteLength / 4)
    : pixels;
  let [a, b, c, d] = [0x811c9dc5, 0x01000193, 0x9e3779b9, 0x85ebca6b];
  for (let at = 0; at < words.length; at += 4) {
    a = mix(a, words[at] ?? 0);
    b = mix(b, words[at + 1] ?? 0);
    c = mix(c, words[at + 2] ?? 0);
    d = mix(d, words[at + 3] ?? 0);
  }
  return mix(mix(mix(a, b), c), d);
}

/** Multiplication alone never brings high bits down. */
function mix(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x01000193);
  return product ^ (product >>> 15);
}
