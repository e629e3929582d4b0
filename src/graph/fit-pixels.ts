import { DomainError } from '../errors.js';
import { TensorProto_DataType } from '../gen/onnx/onnx.js';
import type { GraphBuilder } from './graph-builder.js';
import type { Shape, Value } from './value.js';

/** Two source positions of each target position along an axis, and their weights. */
interface PairTable {
  readonly first: Int32Array;
  readonly second: Int32Array;
  /** Weight of the second, 0..1. */
  readonly fraction: Float32Array;
  /** Both weights in 1/2048. */
  readonly firstFixed: Int32Array;
  readonly secondFixed: Int32Array;
}

/** The source positions `start[i]..start[i+1]` of each target position, and their weights. */
interface RunTable {
  readonly start: Int32Array;
  readonly position: Int32Array;
  readonly weight: Float32Array;
}

/** Raw planes that a graph is to take instead of a network's own input. */
export interface RawPixels {
  readonly pixelType: 'uint8' | 'uint16';
  readonly heightPx: number;
  readonly widthPx: number;
  /** How planes of this size come to the network's; as `planResize` of frames/ has it. */
  readonly plan:
    | { readonly kind: 'same' }
    | { readonly kind: 'boxes'; readonly boxWidth: number; readonly boxHeight: number }
    | { readonly kind: 'areas'; readonly x: RunTable; readonly y: RunTable }
    | { readonly kind: 'mix'; readonly x: PairTable; readonly y: PairTable };
  /** What each value becomes after that, one a value of the type; null: uint8 as it is. */
  readonly levels: Uint8Array | null;
}

/** Whole numbers up to it are exact in float32, and so are their sums in any order. */
const mostExact = 2 ** 24;
/** Pixels of one axis under a target pixel; each is a few nodes of the graph. */
const mostTaps = 64;

/**
 * Writes what frames/ does on the CPU, to the same bytes: `pixels` uint8 or uint16
 * `[N, C, heightPx, widthPx]` → uint8 `[N, C, H, W]`. Each number is computed in the type and
 * order in which it is there: sums of boxes are whole numbers in float32, exact in any order; the
 * parts of an area are added one after the other; mixing is whole numbers for 8 bits, float64
 * for 16; and scaling to 8 bits is looked up.
 *
 * Throws `unsupported` where that cannot be: boxes whose sum float32 cannot hold, areas of too
 * many pixels.
 */
export function fitPixels(
  builder: GraphBuilder,
  pixels: Value,
  raw: RawPixels,
  target: { readonly heightPx: number; readonly widthPx: number },
): Value {
  const write = writerOf(builder);
  const fitted = fit[raw.plan.kind](write, pixels, raw, target);
  if (raw.levels === null) return write.cast(fitted, 'uint8');
  const { levels } = raw;
  const table = builder.initializer('levels', {
    ...{ type: 'uint8', shape: [levels.length], values: levels },
  });
  const index = write.cast(fitted, 'int32');
  return builder.node('Gather', [table, index], ['uint8', fitted.shape], { axis: 0 });
}

type Target = Parameters<typeof fitPixels>[3];
type Write = ReturnType<typeof writerOf>;
type Fit = (write: Write, pixels: Value, raw: RawPixels, target: Target) => Value;

const fit: { readonly [Kind in RawPixels['plan']['kind']]: Fit } = {
  same: (_, pixels) => pixels,

  boxes(write, pixels, { plan, pixelType, widthPx }, target) {
    if (plan.kind !== 'boxes') throw new Error('bug: boxes of another plan');
    const { boxWidth, boxHeight } = plan;
    const most = (pixelType === 'uint8' ? 255 : 65_535) * boxWidth * boxHeight;
    if (most >= mostExact) {
      throw new DomainError(
        'unsupported',
        `expected boxes of ${pixelType} pixels whose sum is below ${mostExact}, got ${boxWidth} x ${boxHeight} px`,
      );
    }
    const channels = Number(pixels.shape[1]);
    const rows = channels * target.heightPx;
    const levels = write.cast(pixels, 'float32');
    // Rows first: they lie beside each other, and what is left is smaller by a box's height.
    const tall = write.reshape(levels, ['N', rows, boxHeight, widthPx]);
    const low = write.sum(tall, 2, ['N', rows, widthPx]);
    const wide = write.reshape(low, ['N', rows, target.widthPx, boxWidth]);
    const sums = write.sum(wide, 3, ['N', rows, target.widthPx]);
    const all = write.reshape(sums, ['N', channels, target.heightPx, target.widthPx]);
    if (boxWidth === 2 && boxHeight === 2) {
      const half = write.by('Add', all, write.float(2));
      return write.one('Floor', write.by('Mul', half, write.float(0.25)));
    }
    const share = Math.fround(1 / (boxWidth * boxHeight));
    return roundHalfEven(write, write.by('Mul', all, write.float(share)));
  },

  areas(write, pixels, { plan }, target) {
    if (plan.kind !== 'areas') throw new Error('bug: areas of another plan');
    const across = addRuns(write, pixels, { axis: 3, table: plan.x, size: target.widthPx });
    const down = addRuns(write, across, { axis: 2, table: plan.y, size: target.heightPx });
    return roundHalfEven(write, down);
  },

  mix(write, pixels, { plan, pixelType }, target) {
    if (plan.kind !== 'mix') throw new Error('bug: mixing of another plan');
    const { x, y } = plan;
    const type = pixelType === 'uint8' ? 'int32' : 'float64';
    const corner = (row: 'first' | 'second', column: 'first' | 'second') => {
      const line = write.gather(pixels, { axis: 2, positions: y[row] });
      return write.cast(write.gather(line, { axis: 3, positions: x[column] }), type);
    };
    const mixed = (left: Value, leftWeight: Value, right: Value, rightWeight: Value) =>
      write.by('Add', write.by('Mul', left, leftWeight), write.by('Mul', right, rightWeight));
    const isColumn = [1, 1, 1, target.widthPx];
    const isRow = [1, 1, target.heightPx, 1];
    const lineOf = (row: 'first' | 'second', left: Value, right: Value) =>
      mixed(corner(row, 'first'), left, corner(row, 'second'), right);
    if (type === 'float64') {
      const weights = ({ fraction }: PairTable, shape: Shape) =>
        [
          write.doubles(
            Float64Array.from(fraction, (weight) => 1 - weight),
            shape,
          ),
          write.doubles(Float64Array.from(fraction), shape),
        ] as const;
      const [left, right] = weights(x, isColumn);
      const [top, bottom] = weights(y, isRow);
      const value = mixed(lineOf('first', left, right), top, lineOf('second', left, right), bottom);
      // A cast cuts off, as a typed array does.
      return write.cast(write.by('Add', value, write.double(0.5)), 'int32');
    }
    const left = write.wholes(x.firstFixed, isColumn);
    const right = write.wholes(x.secondFixed, isColumn);
    // Division of what is never negative, where JavaScript shifts.
    const part = (row: 'first' | 'second', weights: Int32Array) => {
      const cut = write.by('Div', lineOf(row, left, right), write.whole(16));
      const weighed = write.by('Mul', cut, write.wholes(weights, isRow));
      return write.by('Div', weighed, write.whole(65_536));
    };
    const both = write.by('Add', part('first', y.firstFixed), part('second', y.secondFixed));
    return write.by('Div', write.by('Add', both, write.whole(2)), write.whole(4));
  },
};

/**
 * To the nearest whole number, halves to even, of what is below 2^22: a float32 has no bits left
 * for a fraction beside 1.5 * 2^23. Not Round, which WebGPU lacks.
 */
function roundHalfEven(write: Write, value: Value): Value {
  const magic = write.float(12_582_912);
  return write.by('Sub', write.by('Add', value, magic), magic);
}

/** Adds up the weighed pixels of each run, one after the other, as frames/ adds them. */
function addRuns(
  write: Write,
  pixels: Value,
  run: { readonly axis: number; readonly table: RunTable; readonly size: number },
): Value {
  const { axis, size } = run;
  const { start, position, weight } = run.table;
  const lengths = Array.from({ length: size }, (_, i) => start[i + 1]! - start[i]!);
  const taps = Math.max(...lengths);
  if (taps > mostTaps) {
    throw new DomainError(
      'unsupported',
      `expected at most ${mostTaps} pixels of an axis under one, got ${taps}`,
    );
  }
  let sum: Value | null = null;
  for (let tap = 0; tap < taps; tap += 1) {
    // What is beyond a run counts nothing, and adding nothing changes no bit.
    const at = lengths.map((length, i) => (tap < length ? start[i]! + tap : null));
    const positions = Int32Array.from(at, (place) => (place === null ? 0 : position[place]!));
    const weights = Float32Array.from(at, (place) => (place === null ? 0 : weight[place]!));
    const levels = write.cast(write.gather(pixels, { axis, positions }), 'float32');
    const shape = [1, 1, 1, 1].map((one, each) => (each === axis ? size : one));
    const part = write.by('Mul', levels, write.floats(weights, shape));
    sum = sum === null ? part : write.by('Add', sum, part);
  }
  if (sum === null) throw new Error('bug: no pixel lies under any');
  return sum;
}

/** The nodes that are needed, each in one call. */
function writerOf(builder: GraphBuilder) {
  let count = 0;
  const named = () => {
    count += 1;
    return `table_${count}`;
  };
  const codes = {
    uint8: TensorProto_DataType.UINT8,
    int32: TensorProto_DataType.INT32,
    float32: TensorProto_DataType.FLOAT,
    float64: TensorProto_DataType.DOUBLE,
  } as const;
  const bound = (shape: Shape) => shape.map(Number);
  const tables = new Map<Int32Array, Value>();
  const write = {
    cast: (value: Value, type: keyof typeof codes): Value =>
      value.type === type
        ? value
        : builder.node('Cast', [value], [type, value.shape], { to: codes[type] }),
    one: (type: string, value: Value): Value =>
      builder.node(type, [value], [value.type, value.shape]),
    /** A node of two values, the second of which may be stretched. */
    by: (type: string, value: Value, other: Value): Value =>
      builder.node(type, [value, other], [value.type, value.shape]),
    reshape(value: Value, shape: Shape): Value {
      // 0 keeps the size of that axis.
      const sizes = builder.integers(...shape.map((size) => (size === 'N' ? 0 : size)));
      return builder.node('Reshape', [value, sizes], [value.type, shape]);
    },
    sum: (value: Value, axis: number, shape: Shape): Value =>
      builder.node('ReduceSum', [value, builder.integers(axis)], ['float32', shape], {
        keepdims: 0,
      }),
    gather(
      value: Value,
      { axis, positions }: { readonly axis: number; readonly positions: Int32Array },
    ): Value {
      const table = tables.get(positions) ?? write.wholes(positions, [positions.length]);
      tables.set(positions, table);
      const shape = value.shape.map((size, at) => (at === axis ? positions.length : size));
      return builder.node('Gather', [value, table], [value.type, shape], { axis });
    },
    wholes: (values: Int32Array, shape: Shape): Value =>
      builder.initializer(named(), { type: 'int32', shape: bound(shape), values }),
    floats: (values: Float32Array, shape: Shape): Value =>
      builder.initializer(named(), { type: 'float32', shape: bound(shape), values }),
    doubles: (values: Float64Array, shape: Shape): Value =>
      builder.initializer(named(), { type: 'float64', shape: bound(shape), values }),
    whole: (value: number): Value => write.wholes(Int32Array.of(value), []),
    float: (value: number): Value => builder.scalar(value),
    double: (value: number): Value => builder.preciseScalar(value),
  } satisfies Record<string, (...args: never[]) => Value>;
  return write;
}
