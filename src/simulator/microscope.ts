import { setTimeout as sleepFor } from 'node:timers/promises';
import type { Frame } from '../frames/index.js';
import { drawLabels } from './draw-labels.js';
import { createRandom, mixSeed } from './random.js';
import { simulateCells } from './simulate-cells.js';

export interface MicroscopeOptions {
  /** Fixes every frame. */
  readonly seed: number;
  /** Edge of a frame, at least 32. */
  readonly sizePx: number;
  /** How many frames it acquires before it stops. */
  readonly frameCount: number;
  /** Frames a second; null acquires as fast as they are taken. */
  readonly framesPerSecond: number | null;
  /** What may be seen; at least one. @default all 28 */
  readonly labels?: readonly number[];
}

/** One frame, and what it shows. */
export interface Acquisition {
  readonly frame: Frame;
  /** Indices into `hpaLabels`, ascending: the truth. */
  readonly labels: readonly number[];
}

export interface MicroscopeCollaborators {
  /** Ends the acquisition after the frame it is at. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds. @default performance.now */
  readonly now?: () => number;
  /** @default a timer */
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/**
 * A microscope that acquires frames of cells in time, as an acquisition loop hands
 * them to its client.
 *
 * Behaviour: frame n is due n / rate seconds after the first. It is made ahead of
 * its time and held until then; a frame that could not be made or taken in time comes
 * at once, so that the rate is kept on the whole. Nothing is made before it is asked for.
 * Not for: rates above 1000 / (milliseconds to simulate a frame).
 */
export async function* createMicroscope(
  options: MicroscopeOptions,
  { signal, now = () => performance.now(), sleep }: MicroscopeCollaborators = {},
): AsyncGenerator<Acquisition, void, undefined> {
  const { seed, sizePx, frameCount, framesPerSecond } = options;
  const wait =
    sleep ?? ((ms: number) => sleepFor(ms, undefined, { signal }).catch(() => 'told to stop'));
  const digits = String(frameCount).length;
  let startedAtMs: number | null = null;
  for (let index = 0; index < frameCount && !isAborted(signal); index += 1) {
    const frameSeed = mixSeed(seed, index);
    const labels = drawLabels(createRandom(frameSeed), options.labels);
    const simulated = simulateCells({ seed: frameSeed, labels, sizePx });
    startedAtMs ??= now();
    if (framesPerSecond !== null) {
      const dueInMs = startedAtMs + (index * 1000) / framesPerSecond - now();
      if (dueInMs > 0) await wait(dueInMs);
      if (isAborted(signal)) return;
    }
    const id = `frame-${String(index + 1).padStart(digits, '0')}`;
    yield { frame: { ...simulated, id }, labels };
  }
}

/** A function, because the compiler takes it that a signal stays as it was seen last. */
const isAborted = (signal: AbortSignal | undefined) => signal?.aborted === true;
