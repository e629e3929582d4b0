import type { Operator } from '../operator.js';

/**
 * Joins values along `axis`, that of the frames unless it is said otherwise:
 * `[N₁, …]`, `[N₂, …]`, … → `[N₁+N₂+…, …]`.
 */
export const concatenate: Operator = {
  source: 'ONNX operators Concat-13 and Split-18',

  shape(inputs, { axis = 0 }) {
    // Sizes along other axes may not be bound yet, as where any number of frames is served.
    const joined = inputs.reduce((sum, shape) => sum + Number(shape[axis]), 0);
    return inputs[0]!.map((size, at) => (at === axis ? joined : size));
  },

  forward(builder, inputs, { axis = 0 }) {
    const shape = concatenate.shape(
      inputs.map((input) => input.shape),
      { axis },
    );
    return { output: builder.node('Concat', inputs, ['float32', shape], { axis }), saved: [] };
  },

  backward(builder, { inputs, attributes }, outputGradient) {
    const { axis = 0 } = attributes;
    const sizes = builder.integers(...inputs.map((input) => Number(input.shape[axis])));
    return builder.nodes(
      'Split',
      [outputGradient, sizes],
      inputs.map((input) => ['float32', input.shape] as const),
      { axis },
    );
  },
};
