import { labelLoss } from './label-loss.js';

/**
 * Binary cross-entropy of sigmoid(logits); targets are 0..1.
 *
 * Written from the logits, `max(z, 0) - z·t + log(1 + exp(-|z|))`, it neither
 * overflows nor loses the gradient where the sigmoid saturates.
 */
export const sigmoidCrossEntropy = labelLoss({
  source: "TensorFlow 2.9's documentation of sigmoid_cross_entropy_with_logits",
  hasLabelWeights: false,
  loss(on, { logits, targets }) {
    const positive = on('Relu', logits);
    const agreeing = on('Mul', logits, targets);
    const remainder = on('Softplus', on('Neg', on('Abs', logits)));
    return on('Add', on('Sub', positive, agreeing), remainder);
  },
  derivative: (on, { logits, targets }) => on('Sub', on('Sigmoid', logits), targets),
});
