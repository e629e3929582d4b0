import type { GraphBuilder } from '../graph-builder.js';
import type { Operator } from '../operator.js';
import { boundShape, type Value } from '../value.js';
import { padToSize } from './pad-to-size.js';
import { pooledShape } from './pooled-shape.js';

/**
 * The mean of each `sizePx` by `sizePx` window, without overlap; rows and columns that
 * fill no window are dropped: `[N, C, H, W]` → `[N, C, ⌊H/s⌋, ⌊W/s⌋]`.
 */
export const averagePool: Operator = {
  source: 'ONNX operator AveragePool-19; Dumoulin and Visin, arXiv 1603.07285, section 3',

  shape: ([input], { sizePx = 2 }) => pooledShape(input!, sizePx),

  forward(builder, [input], attributes) {
    const { sizePx = 2 } = attributes;
    const shape = averagePool.shape([input!.shape], attributes);
    const output = builder.node('AveragePool', [input!], ['float32', shape], {
      kernel_shape: [sizePx, sizePx],
      strides: [sizePx, sizePx],
    });
    return { output, saved: [] };
  },

  backward(builder, { inputs, attributes }, outputGradient) {
    const { sizePx = 2 } = attributes;
    const share = builder.scalar(1 / (sizePx * sizePx));
    const each = builder.node('Mul', [outputGradient, share], ['float32', outputGradient.shape]);
    return [padToSize(builder, repeated(builder, each, sizePx), inputs[0]!.shape)];
  },
};

/** Each pixel `times` by `times`. Whole rows are copied; only columns are woven. */
function repeated(builder: GraphBuilder, value: Value, times: number): Value {
  const [batch, channels, heightPx, widthPx] = boundShape(value.shape) as [
    number,
    number,
    number,
    number,
  ];
  const copies = <T>(of: T): T[] => Array.from({ length: times }, () => of);
  const shapeTo = (from: Value, ...shape: number[]): Value =>
    builder.node('Reshape', [from, builder.integers(...shape)], ['float32', shape]);
  const columns = shapeTo(value, batch * channels * heightPx * widthPx, 1);
  const wide = builder.node(
    'Concat',
    copies(columns),
    ['float32', [batch * channels * heightPx * widthPx, times]],
    { axis: 1 },
  );
  const rows = shapeTo(wide, batch * channels * heightPx, widthPx * times);
  const high = builder.node(
    'Concat',
    copies(rows),
    ['float32', [batch * channels * heightPx, times * widthPx * times]],
    { axis: 1 },
  );
  return shapeTo(high, batch, channels, heightPx * times, widthPx * times);
}
