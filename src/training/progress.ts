import type { Parameters } from '../graph/index.js';
import type { EpochScores } from './run.js';

/** What the steps of an epoch have come to so far. */
export interface EpochPart {
  readonly steps: number;
  readonly frames: number;
  /** Of the frames' losses. */
  readonly lossSum: number;
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
export const newPart: EpochPart = { steps: 0, frames: 0, lossSum: 0, seconds: 0 };

/** What the best epoch so far leaves. */
export interface BestWeights {
  /** As they are served. */
  readonly parameters: Parameters;
  /** float32 `[N, L]`, of the validation part. */
  readonly probabilities: Float32Array;
}

const bestPrefix = 'best:';
const probabilitiesName = 'best:probabilities';
const answeredName = 'part:probabilities';

/** What a learning keeps as tensors. */
export interface LearningTensors {
  /** Of the steps: weights, slots and averages. */
  readonly state: Parameters;
  readonly best: BestWeights | null;
  /**
   * float32 `[n, L]`: what the steps of the epoch that goes on have answered, to its last n
   * frames so far; to all of them but where an earlier version kept no answers.
   */
  readonly answered: Float32Array;
}

/** All tensors of a learning under one roof, for a checkpoint. Views, not copies. */
export function packTensors({ state, best, answered }: LearningTensors): Parameters {
  const all = new Map(state);
  const keep = (name: string, values: Float32Array) =>
    all.set(name, { shape: [values.length], values });
  for (const [name, tensor] of best?.parameters ?? []) all.set(`${bestPrefix}${name}`, tensor);
  if (best !== null) keep(probabilitiesName, best.probabilities);
  if (answered.length > 0) keep(answeredName, answered);
  return all;
}

/** What `packTensors` put together. */
export function unpackTensors(tensors: Parameters): LearningTensors {
  const ofBest = [...tensors].filter(([name]) => name.startsWith(bestPrefix));
  const probabilities = tensors.get(probabilitiesName)?.values;
  return {
    state: new Map(
      [...tensors].filter(([name]) => !name.startsWith(bestPrefix) && name !== answeredName),
    ),
    answered: tensors.get(answeredName)?.values ?? new Float32Array(0),
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
