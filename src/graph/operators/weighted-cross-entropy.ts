import { labelLoss } from './label-loss.js';

/**
 * Binary cross-entropy whose positive answers count `p` times, `p` being the weight of
 * the label: `-(p·t·log σ(z) + (1 - t)·log(1 - σ(z)))`; targets are 0..1.
 *
 * Written as `(1 - t)·z + (1 + (p - 1)·t)·log(1 + exp(-z))`, where the logarithm is
 * `max(-z, 0) + log(1 + exp(-|z|))` and cannot overflow.
 */
export const weightedCrossEntropy = labelLoss({
  source: "PyTorch 1.13's documentation of BCEWithLogitsLoss, pos_weight",
  hasLabelWeights: true,
  loss(on, { logits, targets, labelWeights }, constant) {
    const below = on('Relu', on('Neg', logits));
    const remainder = on('Softplus', on('Neg', on('Abs', logits)));
    const more = on('Sub', on('Mul', targets, labelWeights!), targets);
    const emphasis = on('Add', more, constant(1));
    const surprise = on('Mul', emphasis, on('Add', below, remainder));
    return on('Add', on('Mul', on('Sub', constant(1), targets), logits), surprise);
  },
  /** `(1 - t)·σ(z) - p·t·(1 - σ(z))`. */
  derivative(on, { logits, targets, labelWeights }, constant) {
    const probability = on('Sigmoid', logits);
    const ofNo = on('Mul', on('Sub', constant(1), targets), probability);
    const weight = on('Mul', targets, labelWeights!);
    return on('Sub', ofNo, on('Mul', weight, on('Sub', constant(1), probability)));
  },
});
