import type { GraphBuilder } from '../graph-builder.js';
import type { Operator } from '../operator.js';
import { boundShape, type Value } from '../value.js';
import { maxPool } from './max-pool.js';

/**
 * `maxPool` for devices that give no indices of a pool: the same values and the same
 * gradient, which goes to the first largest element of each window.
 *
 * Each of the window's places is taken as a picture of its own and compared with the
 * largest; what one place has taken is not left for the next. On a CPU the indices are faster.
 */
export const maxPoolByComparing: Operator = {
  source: 'the definition of ONNX operators MaxPool-12 and MaxUnpool-11',
  shape: maxPool.shape,

  forward(builder, [input], attributes) {
    const { sizePx = 2 } = attributes;
    const shape = maxPool.shape([input!.shape], attributes);
    const window = { kernel_shape: [sizePx, sizePx], strides: [sizePx, sizePx] };
    return { output: builder.node('MaxPool', [input!], ['float32', shape], window), saved: [] };
  },

  backward(builder, { inputs, output, attributes }, outputGradient) {
    const [input] = inputs;
    const { sizePx = 2 } = attributes;
    const [batch, channels, rows, columns] = boundShape(output.shape) as Sizes;
    const join = (parts: readonly Value[], shape: readonly number[], axis: number) =>
      builder.node('Concat', parts, ['float32', shape], { axis });
    const lines = batch * channels * rows;
    const onePlace = [lines, 1, columns, 1];
    let left = builder.scalar(1);
    const windowRows: Value[] = [];
    for (let y = 0; y < sizePx; y += 1) {
      const places: Value[] = [];
      for (let x = 0; x < sizePx; x += 1) {
        const place = takePlace(builder, input!, output, [y, x], sizePx);
        const isLargest = builder.node('Equal', [place, output], ['bool', output.shape]);
        const largest = builder.node('Cast', [isLargest], ['float32', output.shape], { to: float });
        const first = builder.node('Mul', [largest, left], ['float32', output.shape]);
        left = builder.node('Sub', [left, first], ['float32', output.shape]);
        const gradient = builder.node('Mul', [first, outputGradient], ['float32', output.shape]);
        places.push(reshape(builder, gradient, onePlace));
      }
      windowRows.push(join(places, [lines, 1, columns, sizePx], 3));
    }
    const windows = join(windowRows, [lines, sizePx, columns, sizePx], 1);
    const pooled = [batch, channels, rows * sizePx, columns * sizePx] as const;
    return [fill(builder, reshape(builder, windows, pooled), boundShape(input!.shape) as Sizes)];
  },
};

type Sizes = readonly [batch: number, channels: number, heightPx: number, widthPx: number];

/** `TensorProto.FLOAT`. */
const float = 1;

/** One place of every window: `[N, C, rows, columns]`, like the output. */
function takePlace(
  builder: GraphBuilder,
  input: Value,
  output: Value,
  [y, x]: readonly [number, number],
  sizePx: number,
): Value {
  const [, , rows, columns] = boundShape(output.shape) as Sizes;
  return builder.node(
    'Slice',
    [
      input,
      builder.integers(y, x),
      // Past the last one that is taken, and never past the end.
      builder.integers(y + (rows - 1) * sizePx + 1, x + (columns - 1) * sizePx + 1),
      builder.integers(2, 3),
      builder.integers(sizePx, sizePx),
    ],
    ['float32', output.shape],
  );
}

const reshape = (builder: GraphBuilder, value: Value, shape: readonly number[]): Value =>
  builder.node('Reshape', [value, builder.integers(...shape)], ['float32', shape]);

/** Zeros for the rows and columns that filled no window. */
function fill(builder: GraphBuilder, value: Value, [, , heightPx, widthPx]: Sizes): Value {
  const [batch, channels, rows, columns] = boundShape(value.shape) as Sizes;
  if (rows === heightPx && columns === widthPx) return value;
  const after = builder.integers(0, 0, 0, 0, 0, 0, heightPx - rows, widthPx - columns);
  return builder.node('Pad', [value, after], ['float32', [batch, channels, heightPx, widthPx]]);
}
