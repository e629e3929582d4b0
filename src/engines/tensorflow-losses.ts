import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import type { Loss } from '../graph/index.js';
import type { Tensorflow } from './tensorflow-runtime.js';

/** The loss of each answer and its derivative by the logit, `[N, L]` from `[N, L]`. */
export interface LossFormula {
  losses(logits: Tensor2D, targets: Tensor2D): Tensor;
  slopes(logits: Tensor2D, targets: Tensor2D): Tensor;
}

/**
 * The formulas of `src/graph/operators/` (`sigmoid-cross-entropy`, `weighted-cross-entropy`,
 * `focal-loss`), where their sources are; none overflows.
 */
export function lossFormula(tf: Tensorflow, loss: Loss): LossFormula {
  const remainder = (logits: Tensor): Tensor => logits.abs().neg().softplus();
  switch (loss.kind) {
    case 'bce':
      return {
        losses: (z, t) => z.relu().sub(z.mul(t)).add(remainder(z)),
        slopes: (z, t) => z.sigmoid().sub(t),
      };
    case 'weighted': {
      const weights = () => tf.tensor1d([...loss.positiveWeights]);
      return {
        losses(z, t) {
          const emphasis = t.mul(weights()).sub(t).add(1);
          const surprise = emphasis.mul(z.neg().relu().add(remainder(z)));
          return tf.scalar(1).sub(t).mul(z).add(surprise);
        },
        slopes(z, t) {
          const probability = z.sigmoid();
          const ofYes = t.mul(weights()).mul(tf.scalar(1).sub(probability));
          return tf.scalar(1).sub(t).mul(probability).sub(ofYes);
        },
      };
    }
    case 'focal': {
      const { gamma } = loss;
      const partsOf = (z: Tensor2D, t: Tensor2D) => {
        const sign = t.mul(2).sub(1);
        const against = sign.mul(z).neg();
        const doubt = against.sigmoid();
        const surprise = against.relu().add(remainder(against));
        return { sign, doubt, damping: doubt.pow(gamma), surprise };
      };
      return {
        losses(z, t) {
          const { damping, surprise } = partsOf(z, t);
          return damping.mul(surprise);
        },
        slopes(z, t) {
          const { sign, doubt, damping, surprise } = partsOf(z, t);
          const ofDamping = tf.scalar(1).sub(doubt).mul(surprise).mul(gamma);
          return sign.mul(damping.mul(doubt.add(ofDamping))).neg();
        },
      };
    }
  }
}
