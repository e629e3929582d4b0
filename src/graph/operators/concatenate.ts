import type { Operator } from '../operator.js';
import { boundShape } from '../value.js';

/** Stacks batches along the frames: `[N₁, …]`, `[N₂, …]`, … → `[N₁+N₂+…, …]`. */
export const concatenate: Operator = {
  source: 'ONNX operators Concat-13 and Split-18',

  shape(inputs) {
    const frames = inputs.reduce((sum, shape) => sum + boundShape(shape)[0]!, 0);
    return [frames, ...inputs[0]!.slice(1)];
  },

  forward(builder, inputs) {
    const shape = concatenate.shape(
      inputs.map((input) => input.shape),
      {},
    );
    return { output: builder.node('Concat', inputs, ['float32', shape], { axis: 0 }), saved: [] };
  },

  backward(builder, { inputs }, outputGradient) {
    const sizes = builder.integers(...inputs.map((input) => boundShape(input.shape)[0]!));
    return builder.nodes(
      'Split',
      [outputGradient, sizes],
      inputs.map((input) => ['float32', input.shape] as const),
      { axis: 0 },
    );
  },
};
