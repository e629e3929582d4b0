import { DomainError } from '../../errors.js';
import type { Operator } from '../operator.js';
import { describeShape } from '../value.js';

/** `input · kernel + bias`: `[N, I]`, `[I, U]`, `[U]` → `[N, U]`. */
export const dense: Operator = {
  source:
    'Goodfellow, Bengio and Courville, Deep Learning (2016), section 6.5.6; ONNX operator Gemm-13',

  shape([input, kernel, bias]) {
    const [batch, inputSize] = input!;
    const [kernelSize, units] = kernel!;
    if (input!.length !== 2 || inputSize !== kernelSize || bias![0] !== units) {
      throw new DomainError(
        'option_invalid',
        `expected an input [N, ${kernelSize}] and a bias [${units}], got ${describeShape(input!)} and ${describeShape(bias!)}`,
      );
    }
    return [batch!, units!];
  },

  forward(builder, inputs) {
    const shape = dense.shape(
      inputs.map((input) => input.shape),
      {},
    );
    return { output: builder.node('Gemm', inputs, ['float32', shape]), saved: [] };
  },

  backward(builder, { inputs, wanted }, outputGradient) {
    const [input, kernel, bias] = inputs;
    return [
      wanted[0]
        ? builder.node('Gemm', [outputGradient, kernel!], ['float32', input!.shape], { transB: 1 })
        : null,
      wanted[1]
        ? builder.node('Gemm', [input!, outputGradient], ['float32', kernel!.shape], { transA: 1 })
        : null,
      wanted[2]
        ? builder.node(
            'ReduceSum',
            [outputGradient, builder.integers(0)],
            ['float32', bias!.shape],
            {
              keepdims: 0,
            },
          )
        : null,
    ];
  },
};
