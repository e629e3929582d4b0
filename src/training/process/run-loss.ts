import type { Loss } from '../../graph/index.js';
import type { RunSpec } from '../run.js';
import { type LabelTable, positiveWeightsOf } from './label-balance.js';

/** The loss that a spec asks for, its weights taken from the training part. */
export function lossOf(
  { loss, focalGamma, maxPositiveWeight }: RunSpec,
  training: LabelTable,
): Loss {
  switch (loss) {
    case 'bce':
      return { kind: 'bce' };
    case 'weighted':
      return { kind: 'weighted', positiveWeights: positiveWeightsOf(training, maxPositiveWeight) };
    case 'focal':
      return { kind: 'focal', gamma: focalGamma };
  }
}

/** As in the report: a probability of float32 may be 0 or 1, whose logarithm is none. */
const clip = 1e-7;

/**
 * The mean loss of answers, reckoned from probabilities `[N, L]` as the graph reckons it
 * from logits: what is made small on the training part is watched on the validation part.
 */
export function meanLoss(
  loss: Loss,
  probabilities: Float32Array,
  { targets, labelCount }: LabelTable,
): number {
  let sum = 0;
  for (const [at, target] of targets.entries()) {
    const probability = probabilities[at] ?? 0;
    const ofTruth = target === 1 ? probability : 1 - probability;
    const surprise = -Math.log(Math.min(1 - clip, Math.max(clip, ofTruth)));
    const isWeighted = loss.kind === 'weighted' && target === 1;
    const weight = isWeighted ? (loss.positiveWeights[at % labelCount] ?? 1) : 1;
    const damping = loss.kind === 'focal' ? (1 - ofTruth) ** loss.gamma : 1;
    sum += weight * damping * surprise;
  }
  return sum / targets.length;
}
