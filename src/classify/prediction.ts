import type { QualityFlag } from '../frames/index.js';
import type { Explanation } from './explanation.js';

/**
 * How a frame ended: `ok` with probabilities; `invalid`, its own fault; `shed` or `superseded`,
 * dropped for lack of room or for a newer one; `expired` at its deadline; `failed`, ours.
 */
export type Outcome = 'ok' | 'invalid' | 'shed' | 'expired' | 'superseded' | 'failed';

/** How long each part of a frame's way took, in milliseconds. */
export interface Timings {
  readonly receiveMs: number;
  readonly prepareMs: number;
  readonly queueMs: number;
  readonly runMs: number;
  readonly totalMs: number;
}

/** The answer to one Frame. */
export interface Prediction {
  readonly frameId: string;
  /** float32, one per label, 0..1. */
  readonly probabilities: Float32Array;
  /** Indices of the labels at or above their threshold. */
  readonly labelIndices: readonly number[];
  /** How far the frame is from the training set; absent where the version does not say. */
  readonly distance?: number | undefined;
  /** Where it was asked for. */
  readonly explanation?: Explanation | undefined;
  readonly version: number;
  readonly batchSize: number;
  readonly qualityFlags: readonly QualityFlag[];
  readonly timings: Omit<Timings, 'receiveMs' | 'totalMs'>;
}
