import { DomainError } from '../../errors.js';
import type { GraphBuilder } from '../graph-builder.js';
import type { Operator } from '../operator.js';
import { boundShape, describeShape, type Shape, type Value } from '../value.js';

/** Fewer than the columns that a matrix product of the CPU works on at once. */
const fewChannels = 16;

/**
 * Convolution with stride 1, square kernel of any size, with bias, and `padPx` zeros
 * around (none unless it is said): `[N, C, H, W]`, `[O, C, K, K]`, `[O]` →
 * `[N, O, H+2P-K+1, W+2P-K+1]`.
 *
 * With respect to its input, the gradient is a convolution of the padded output
 * gradient with the kernel turned by 180°. With respect to its kernel, it is one
 * product of matrices a kernel offset: the output gradient is padded to the input's
 * row pitch, so that the input that one offset touches is one contiguous slice of
 * the flattened plane and not a strided window.
 */
export const conv2d: Operator = {
  source: 'Dumoulin and Visin, A guide to convolution arithmetic (arXiv 1603.07285), section 4',

  shape([input, kernel, bias], { padPx = 0 }) {
    const [batch, channels, heightPx, widthPx] = axesOf(input, 4, 'input');
    const [filters, kernelChannels, kernelHeightPx, kernelWidthPx] = axesOf(kernel, 4, 'kernel');
    const [biasSize] = axesOf(bias, 1, 'bias');
    if (channels !== kernelChannels) {
      throw fault(`a kernel over ${kernelChannels} channels`, `${channels} channels`);
    }
    if (kernelHeightPx !== kernelWidthPx) {
      throw fault('a square kernel', `${kernelHeightPx} by ${kernelWidthPx} px`);
    }
    if (biasSize !== filters) throw fault(`a bias of ${filters} filters`, `${biasSize}`);
    const size = Number(kernelWidthPx);
    const least = size - 2 * padPx;
    if (Number(heightPx) < least || Number(widthPx) < least) {
      throw fault(`at least ${least} by ${least} px`, `${heightPx} by ${widthPx} px`);
    }
    return [batch!, filters!, Number(heightPx) - least + 1, Number(widthPx) - least + 1];
  },

  forward(builder, inputs, attributes) {
    const { padPx = 0 } = attributes;
    const shape = conv2d.shape(
      inputs.map((input) => input.shape),
      attributes,
    );
    const size = Number(inputs[1]!.shape[2]);
    const output = builder.node('Conv', inputs, ['float32', shape], {
      kernel_shape: [size, size],
      ...(padPx > 0 ? { pads: [padPx, padPx, padPx, padPx] } : {}),
    });
    return { output, saved: [] };
  },

  backward(builder, { inputs, attributes, wanted }, outputGradient) {
    const [input, kernel] = inputs;
    const { padPx = 0 } = attributes;
    return [
      wanted[0] ? inputGradient(builder, input!, kernel!, outputGradient, padPx) : null,
      wanted[1]
        ? kernelGradient(builder, padded(builder, input!, padPx), kernel!, outputGradient)
        : null,
      wanted[2] ? biasGradient(builder, outputGradient) : null,
    ];
  },
};

function inputGradient(
  builder: GraphBuilder,
  input: Value,
  kernel: Value,
  outputGradient: Value,
  padPx: number,
): Value {
  const [filters, channels, size] = boundShape(kernel.shape) as [number, number, number];
  const turned = builder.node(
    'Slice',
    [
      kernel,
      builder.integers(-1, -1),
      builder.integers(-size - 1, -size - 1),
      builder.integers(2, 3),
      builder.integers(-1, -1),
    ],
    ['float32', kernel.shape],
  );
  const swapped = builder.node(
    'Transpose',
    [turned],
    ['float32', [channels, filters, size, size]],
    { perm: [1, 0, 2, 3] },
  );
  const pad = size - 1 - padPx;
  return builder.node('Conv', [outputGradient, swapped], ['float32', input.shape], {
    kernel_shape: [size, size],
    pads: [pad, pad, pad, pad],
  });
}

function padded(builder: GraphBuilder, input: Value, padPx: number): Value {
  if (padPx === 0) return input;
  const [batch, channels, heightPx, widthPx] = boundShape(input.shape) as [
    number,
    number,
    number,
    number,
  ];
  const shape = [batch, channels, heightPx + 2 * padPx, widthPx + 2 * padPx];
  const pads = builder.integers(0, 0, padPx, padPx, 0, 0, padPx, padPx);
  return builder.node('Pad', [input, pads], ['float32', shape]);
}

function kernelGradient(
  builder: GraphBuilder,
  input: Value,
  kernel: Value,
  outputGradient: Value,
): Value {
  const [batch, channels, heightPx, widthPx] = boundShape(input.shape) as [
    number,
    number,
    number,
    number,
  ];
  const [filters, , size] = boundShape(kernel.shape) as [number, number, number];
  const outHeightPx = heightPx - size + 1;
  const pitched = builder.node(
    'Pad',
    [outputGradient, builder.integers(0, 0, 0, 0, 0, 0, 0, size - 1)],
    ['float32', [batch, filters, outHeightPx, widthPx]],
  );
  const flatGradient = builder.node(
    'Reshape',
    [pitched, builder.integers(batch, filters, outHeightPx * widthPx)],
    ['float32', [batch, filters, outHeightPx * widthPx]],
  );
  // Without the padding after the last row, which would reach past the input's end.
  const length = outHeightPx * widthPx - (size - 1);
  const rows = takeColumns(builder, flatGradient, 0, length);
  const flatInput = builder.node(
    'Reshape',
    [input, builder.integers(batch, channels, heightPx * widthPx)],
    ['float32', [batch, channels, heightPx * widthPx]],
  );
  const windows: Value[] = [];
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      windows.push(takeColumns(builder, flatInput, row * widthPx + column, length));
    }
  }
  const area = size * size;
  const ordered = builder.node(
    'Transpose',
    [offsetsOf(builder, rows, windows)],
    ['float32', [filters, channels, area]],
    { perm: [0, 2, 1] },
  );
  return builder.node(
    'Reshape',
    [ordered, builder.integers(filters, channels, size, size)],
    ['float32', kernel.shape],
  );
}

/**
 * `[O, offsets, C]`: the rows `[N, O, L]` times each window `[N, C, L]`, summed over the
 * frames. The rows come first, since the second factor is repacked for each product.
 * Windows of few channels would leave most of a product's columns empty: they are
 * stacked into one.
 */
function offsetsOf(builder: GraphBuilder, rows: Value, windows: readonly Value[]): Value {
  const [batch, filters] = boundShape(rows.shape) as [number, number, number];
  const channels = boundShape(windows[0]!.shape)[1]!;
  const [, , length] = boundShape(rows.shape) as [number, number, number];
  const product = (window: Value, columns: number): Value => {
    const turned = builder.node('Transpose', [window], ['float32', [batch, length, columns]], {
      perm: [0, 2, 1],
    });
    const perFrame = builder.node('MatMul', [rows, turned], ['float32', [batch, filters, columns]]);
    return builder.node(
      'ReduceSum',
      [perFrame, builder.integers(0)],
      ['float32', [filters, columns]],
      { keepdims: 0 },
    );
  };
  const columns = channels * windows.length;
  const shape = [filters, windows.length, channels];
  if (channels < fewChannels) {
    const stacked = builder.node('Concat', windows, ['float32', [batch, columns, length]], {
      axis: 1,
    });
    return builder.node(
      'Reshape',
      [product(stacked, columns), builder.integers(...shape)],
      ['float32', shape],
    );
  }
  const parts = windows.map((window) => {
    const part = product(window, channels);
    return builder.node(
      'Unsqueeze',
      [part, builder.integers(1)],
      ['float32', [filters, 1, channels]],
    );
  });
  return builder.node('Concat', parts, ['float32', shape], { axis: 1 });
}

function biasGradient(builder: GraphBuilder, outputGradient: Value): Value {
  const filters = outputGradient.shape[1]!;
  return builder.node(
    'ReduceSum',
    [outputGradient, builder.integers(0, 2, 3)],
    ['float32', [filters]],
    { keepdims: 0 },
  );
}

function takeColumns(builder: GraphBuilder, value: Value, start: number, length: number): Value {
  const [batch, rows, total] = boundShape(value.shape) as [number, number, number];
  if (length === total) return value;
  return builder.node(
    'Slice',
    [value, builder.integers(start), builder.integers(start + length), builder.integers(2)],
    ['float32', [batch, rows, length]],
  );
}

function axesOf(shape: Shape | undefined, axes: number, what: string): Shape {
  if (shape?.length === axes) return shape;
  throw fault(`a convolution ${what} of ${axes} axes`, describeShape(shape ?? []));
}

const fault = (expected: string, got: string): DomainError =>
  new DomainError('option_invalid', `expected ${expected}, got ${got}`);
