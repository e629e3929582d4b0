import type { Operator } from '../operator.js';
import { boundShape, elementCount } from '../value.js';

/** `[N, …]` → `[N, the rest]`, row-major: channels outermost, as in a channels-first Keras. */
export const flatten: Operator = {
  source: 'ONNX operators Flatten-13 and Reshape-14',

  shape: ([input]) => [input![0]!, elementCount(input!.slice(1))],

  forward(builder, [input]) {
    const shape = flatten.shape([input!.shape], {});
    return {
      output: builder.node('Flatten', [input!], ['float32', shape], { axis: 1 }),
      saved: [],
    };
  },

  backward(builder, { inputs }, outputGradient) {
    const shape = boundShape(inputs[0]!.shape);
    return [
      builder.node('Reshape', [outputGradient, builder.integers(...shape)], ['float32', shape]),
    ];
  },
};
