import { DomainError } from '../../errors.js';
import type { Operator } from '../operator.js';
import { describeShape } from '../value.js';

/**
 * The sum of the logits that a selection picks, `[N, L]`, `[N, L]` → scalar: with one label
 * picked a row, the gradient of each row is that of its own label.
 */
export const selectLabels: Operator = {
  source: 'Selvaraju et al., Grad-CAM (ICCV 2017), section 3: the score that is differentiated',

  shape([logits, selection]) {
    if (`${logits}` !== `${selection}`) {
      throw new DomainError(
        'option_invalid',
        `expected a selection of ${describeShape(logits!)}, got ${describeShape(selection!)}`,
      );
    }
    return [];
  },

  forward(builder, [logits, selection]) {
    selectLabels.shape([logits!.shape, selection!.shape], {});
    const picked = builder.node('Mul', [logits!, selection!], ['float32', logits!.shape]);
    const output = builder.node('ReduceSum', [picked], ['float32', []], { keepdims: 0 });
    return { output, saved: [] };
  },

  backward(builder, { inputs }, outputGradient) {
    const [logits, selection] = inputs;
    return [builder.node('Mul', [selection!, outputGradient], ['float32', logits!.shape]), null];
  },
};
