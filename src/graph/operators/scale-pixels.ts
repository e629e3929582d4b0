import type { Operator } from '../operator.js';

/** uint8 0..255 → float32 0..1. Pixels are given, not learnt: there is no gradient. */
export const scalePixels: Operator = {
  source: 'ONNX operators Cast-19 and Div-14; division by 255, as Keras and PyTorch scale',

  shape: ([input]) => input!,

  forward(builder, [input]) {
    const spec = ['float32', input!.shape] as const;
    const pixels = builder.node('Cast', [input!], spec, { to: 1 });
    return { output: builder.node('Div', [pixels, builder.scalar(255)], spec), saved: [] };
  },

  backward: () => [null],
};
