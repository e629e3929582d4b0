import type { Value } from '../value.js';
import { type ElementWriter, labelLoss } from './label-loss.js';

/**
 * Focal loss: cross-entropy times `(1 - p)^γ`, `p` being the probability of the truth,
 * so that what is answered well already counts little. Targets are 0 or 1; γ (`gamma`)
 * is above 0, and 0 would be the plain cross-entropy.
 *
 * With `s` the logit, its sign turned where the truth is "no", it is
 * `σ(-s)^γ · log(1 + exp(-s))`, and its derivative by `s`
 * `-σ(-s)^γ · (σ(-s) + γ·σ(s)·log(1 + exp(-s)))`.
 */
export const focalLoss = labelLoss({
  source: 'Lin, Goyal, Girshick, He and Dollár, ICCV 2017, arXiv 1708.02002, equation 4',
  hasLabelWeights: false,
  loss(on, values, constant, attributes) {
    const { damping, surprise } = partsOf(on, values, constant, attributes);
    return on('Mul', damping, surprise);
  },
  derivative(on, values, constant, attributes) {
    const { damping, surprise, doubt, sign } = partsOf(on, values, constant, attributes);
    const trust = on('Sub', constant(1), doubt);
    const ofDamping = on('Mul', on('Mul', trust, surprise), constant(attributes['gamma'] ?? 0));
    const slope = on('Mul', damping, on('Add', doubt, ofDamping));
    return on('Neg', on('Mul', sign, slope));
  },
});

/** `doubt` is σ(-s), `damping` its power, `surprise` log(1 + exp(-s)), without overflow. */
function partsOf(
  on: Parameters<ElementWriter>[0],
  { logits, targets }: Parameters<ElementWriter>[1],
  constant: Parameters<ElementWriter>[2],
  { gamma = 0 }: Parameters<ElementWriter>[3],
): Readonly<Record<'damping' | 'surprise' | 'doubt' | 'sign', Value>> {
  const sign = on('Sub', on('Add', targets, targets), constant(1));
  const against = on('Neg', on('Mul', sign, logits));
  const doubt = on('Sigmoid', against);
  const damping = on('Pow', doubt, constant(gamma));
  const remainder = on('Softplus', on('Neg', on('Abs', against)));
  const surprise = on('Add', on('Relu', against), remainder);
  return { damping, surprise, doubt, sign };
}
