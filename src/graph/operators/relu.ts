import type { Operator } from '../operator.js';

/** The largest float32: any activation above 1e-38 times this saturates at 1. */
const steepest = 3.4e38;

/**
 * max(x, 0), any shape.
 *
 * The gradient's mask is a HardSigmoid so steep that it is a step at zero: one
 * vectorised and parallel pass, where `Where` on the CPU makes three.
 */
export const relu: Operator = {
  source:
    'ONNX operators Relu-14 and HardSigmoid-6; the derivative at 0 is 0, as in Keras and PyTorch',

  shape: ([input]) => input!,

  forward(builder, [input]) {
    return { output: builder.node('Relu', [input!], ['float32', input!.shape]), saved: [] };
  },

  backward(builder, { output }, outputGradient) {
    const mask = builder.node('HardSigmoid', [output], ['float32', output.shape], {
      alpha: { float: steepest },
      beta: { float: 0 },
    });
    return [builder.node('Mul', [outputGradient, mask], ['float32', output.shape])];
  },
};
