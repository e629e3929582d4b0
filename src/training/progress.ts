import type { Parameters } from '../graph/index.js';
import type { EpochScores } from './run.js';

/** What the steps of an epoch have come to so far. */
export interface EpochPart {
  readonly steps: number;
  readonly frames: number;
  /** Of the frames' losses. */
  readonly lossSum: number;
  /** Answers, one a label and frame, that were right. */
  readonly correct: number;
  readonly seconds: number;
}

/**
 * Where a learning stands between two steps. With the tensors beside it, it is all that
 * the rest follows from: random numbers are drawn by (seed, use, step or epoch), so that
 * no generator has a state of its own, and early stopping follows from the history.
 */
export interface Progress {
  /** The epochs that are done; the next goes on. */
  readonly history: readonly EpochScores[];
  /** Of the epoch that goes on. */
  readonly part: EpochPart;
  /** Of the dataset that it learns from. */
  readonly datasetFingerprint: string;
}

/** An epoch that is yet to begin. */
export const newPart: EpochPart = { steps: 0, frames: 0, lossSum: 0, correct: 0, seconds: 0 };

/** What the best epoch so far leaves. */
export interface BestWeights {
  /** As they are served. */
  readonly parameters: Parameters;
  /** float32 `[N, L]`, of the validation part. */
  readonly probabilities: Float32Array;
}

const bestPrefix = 'best:';
const probabilitiesName = 'best:probabilities';

/** All tensors of a learning under one roof, for a checkpoint. Views, not copies. */
export function packTensors(state: Parameters, best: BestWeights | null): Parameters {
  if (best === null) return state;
  const { parameters, probabilities } = best;
  return new Map([
    ...state,
    ...[...parameters].map(([name, tensor]) => [`${bestPrefix}${name}`, tensor] as const),
    [probabilitiesName, { shape: [probabilities.length], values: probabilities }],
  ]);
}

/** What `packTensors` put together. */
export function unpackTensors(tensors: Parameters): {
  readonly state: Parameters;
  readonly best: BestWeights | null;
} {
  const ofBest = [...tensors].filter(([name]) => name.startsWith(bestPrefix));
  const probabilities = tensors.get(probabilitiesName)?.values;
  return {
    state: new Map([...tensors].filter(([name]) => !name.startsWith(bestPrefix))),
    best: probabilities
      ? {
          parameters: new Map(
            ofBest
              .filter(([name]) => name !== probabilitiesName)
              .map(([name, tensor]) => [name.slice(bestPrefix.length), tensor]),
          ),
          probabilities,
        }
      : null,
  };
}
