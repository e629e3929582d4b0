import type { Operator } from '../operator.js';
import { pooledShape } from './pooled-shape.js';

/**
 * The largest of each `sizePx` by `sizePx` window, without overlap; rows and columns
 * that fill no window are dropped: `[N, C, H, W]` → `[N, C, ⌊H/s⌋, ⌊W/s⌋]`.
 *
 * The gradient goes to the first largest element of each window.
 */
export const maxPool: Operator = {
  source: 'ONNX operators MaxPool-12 and MaxUnpool-11',

  shape: ([input], { sizePx = 2 }) => pooledShape(input!, sizePx),

  forward(builder, [input], attributes) {
    const shape = maxPool.shape([input!.shape], attributes);
    const [output, indices] = builder.nodes(
      'MaxPool',
      [input!],
      [
        ['float32', shape],
        ['int64', shape],
      ],
      windowOf(attributes['sizePx']),
    );
    return { output: output!, saved: [indices!] };
  },

  backward(builder, { inputs, saved, attributes }, outputGradient) {
    const [input] = inputs;
    const shape = builder.integers(...input!.shape.map(Number));
    return [
      builder.node(
        'MaxUnpool',
        [outputGradient, saved[0]!, shape],
        ['float32', input!.shape],
        windowOf(attributes['sizePx']),
      ),
    ];
  },
};

const windowOf = (sizePx = 2) => ({ kernel_shape: [sizePx, sizePx], strides: [sizePx, sizePx] });
