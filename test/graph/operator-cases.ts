import type { operators } from '../../src/graph/operators/index.js';

/** A tensor in float64, as the references reckon. */
export interface Numbers {
  readonly type: 'float32' | 'uint8';
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

/** One operator on small inputs, with its definition in plain loops. */
export interface OperatorCase {
  readonly title: string;
  readonly inputs: readonly Numbers[];
  readonly attributes?: Readonly<Record<string, number>>;
  /** Which inputs have a gradient. */
  readonly differentiable: readonly boolean[];
  readonly outputShape: readonly number[];
  reference(inputs: readonly Float64Array[]): Float64Array;
}

/** Float32 numbers between -1 and 1 that never repeat and never touch 0. */
const signed = (...shape: number[]): Numbers => ({
  type: 'float32',
  shape,
  values: Float64Array.from({ length: product(shape) }, (_, i) =>
    Math.fround(Math.sin(i * 12.9898 + shape.length) * 0.9 + 0.013),
  ),
});
const bytes = (most: number, ...shape: number[]): Numbers => ({
  type: 'uint8',
  shape,
  values: Float64Array.from(
    { length: product(shape) },
    (_, i) => ((i * 97 + 31) >> 2) % (most + 1),
  ),
});
const between0And1 = (...shape: number[]): Numbers => {
  const { type, values } = signed(...shape);
  return { type, shape, values: values.map((value) => Math.fround(value / 2 + 0.5)) };
};
const bytesAsFloats = (...shape: number[]): Numbers => ({
  ...bytes(1, ...shape),
  type: 'float32',
});
const frameWeights: Numbers = {
  type: 'float32',
  shape: [3],
  values: Float64Array.of(1, 0, 0.5),
};
const product = (shape: readonly number[]): number => shape.reduce((all, size) => all * size, 1);

/** Every operator of the table has at least one case; the compiler holds us to it. */
export const operatorCases: Readonly<Record<keyof typeof operators, readonly OperatorCase[]>> = {
  add: [
    {
      title: 'two batches of planes',
      inputs: [signed(2, 3, 2, 2), bytesAsFloats(2, 3, 2, 2)],
      differentiable: [true, true],
      outputShape: [2, 3, 2, 2],
      reference: ([left, right]) => left!.map((value, at) => value + right![at]!),
    },
  ],
  averagePool: [averages(2, 3, 6, 4, 2), averages(1, 2, 7, 5, 2), averages(1, 1, 8, 7, 3)],
  concatenate: [
    {
      title: 'batches of 2, 1 and 3 frames',
      inputs: [signed(2, 3, 2), signed(1, 3, 2), signed(3, 3, 2)],
      differentiable: [true, true, true],
      outputShape: [6, 3, 2],
      reference: (inputs) => Float64Array.from(inputs.flatMap((input) => [...input])),
    },
    {
      title: 'rows of 2 and of 3',
      inputs: [signed(2, 2), signed(2, 3)],
      attributes: { axis: 1 },
      differentiable: [true, true],
      outputShape: [2, 5],
      reference: ([left, right]) =>
        Float64Array.of(
          ...[...left!.subarray(0, 2), ...right!.subarray(0, 3)],
          ...[...left!.subarray(2), ...right!.subarray(3)],
        ),
    },
  ],
  conv2d: [
    convolution(2, 3, 5, 7, 4, 3),
    convolution(1, 1, 4, 4, 2, 1),
    convolution(3, 2, 6, 5, 3, 5),
    convolution(2, 3, 5, 4, 4, 3, 1),
    convolution(1, 2, 3, 2, 2, 5, 2),
    // Enough channels that the gradient of the kernel takes its other way.
    convolution(2, 17, 3, 4, 2, 3, 1),
  ],
  dense: [
    {
      title: '3 frames of 5 to 4 units',
      inputs: [signed(3, 5), signed(5, 4), signed(4)],
      differentiable: [true, true, true],
      outputShape: [3, 4],
      reference: ([input, kernel, bias]) =>
        Float64Array.from({ length: 12 }, (_, at) => {
          const [frame, unit] = [Math.floor(at / 4), at % 4];
          let sum = bias![unit]!;
          for (let i = 0; i < 5; i += 1) sum += input![frame * 5 + i]! * kernel![i * 4 + unit]!;
          return sum;
        }),
    },
  ],
  dropout: [
    {
      title: 'rate 0.25',
      inputs: [signed(3, 8), bytes(1, 3, 8)],
      attributes: { rate: 0.25 },
      differentiable: [true, false],
      outputShape: [3, 8],
      reference: ([input, mask]) => input!.map((value, at) => (value * mask![at]!) / 0.75),
    },
  ],
  flatten: [
    {
      title: '2 frames of 3 planes',
      inputs: [signed(2, 3, 4, 5)],
      differentiable: [true],
      outputShape: [2, 60],
      reference: ([input]) => input!,
    },
  ],
  focalLoss: [
    {
      title: '3 frames, one of weight 0, gamma 2',
      inputs: [signed(3, 4), bytesAsFloats(3, 4), frameWeights],
      attributes: { gamma: 2 },
      differentiable: [true, false, false],
      outputShape: [],
      reference: ([logits, targets, weights]) =>
        meanLoss(logits!, weights!, (logit, at) => {
          const ofTruth = 1 / (1 + Math.exp(targets![at] === 1 ? -logit : logit));
          return -((1 - ofTruth) ** 2) * Math.log(ofTruth);
        }),
    },
  ],
  globalAveragePool: [
    {
      title: '2 frames of 3 planes',
      inputs: [signed(2, 3, 4, 5)],
      differentiable: [true],
      outputShape: [2, 3],
      reference: ([input]) =>
        Float64Array.from({ length: 6 }, (_, plane) =>
          meanOf(input!.subarray(plane * 20, (plane + 1) * 20)),
        ),
    },
  ],
  globalMaxPool: [
    {
      title: '2 frames of 3 planes',
      inputs: [signed(2, 3, 4, 5)],
      differentiable: [true],
      outputShape: [2, 3],
      reference: ([input]) =>
        Float64Array.from({ length: 6 }, (_, plane) =>
          Math.max(...input!.subarray(plane * 20, (plane + 1) * 20)),
        ),
    },
  ],
  groupNorm: [
    normalisation(2, 4, 3, 5, 2, true),
    normalisation(3, 3, 4, 2, 1, true),
    normalisation(2, 3, 5, 4, 3, true),
    normalisation(2, 4, 3, 3, 4, false),
    normalisation(2, 6, 2, 3, 2, false),
  ],
  maxPool: [pool(2, 3, 6, 4, 2), pool(1, 2, 7, 5, 2), pool(1, 1, 8, 7, 3)],
  maxPoolByComparing: [pool(2, 3, 6, 4, 2), pool(1, 2, 7, 5, 2), pool(1, 1, 8, 7, 3)],
  relu: [
    {
      title: 'both signs',
      inputs: [signed(2, 3, 4)],
      differentiable: [true],
      outputShape: [2, 3, 4],
      reference: ([input]) => input!.map((value) => Math.max(value, 0)),
    },
  ],
  scalePixels: [
    {
      title: 'every byte',
      inputs: [
        {
          type: 'uint8',
          shape: [1, 1, 16, 16],
          values: Float64Array.from({ length: 256 }, (_, i) => i),
        },
      ],
      differentiable: [false],
      outputShape: [1, 1, 16, 16],
      reference: ([input]) => input!.map((value) => value / 255),
    },
  ],
  selectLabels: [
    {
      title: 'one of 4 labels of each of 3 frames',
      inputs: [
        signed(3, 4),
        {
          type: 'float32',
          shape: [3, 4],
          values: Float64Array.of(0, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0),
        },
      ],
      differentiable: [true, false],
      outputShape: [],
      reference: ([logits]) => Float64Array.of(logits![1]! + logits![7]! + logits![8]!),
    },
  ],
  sigmoidCrossEntropy: [
    {
      title: '3 frames, one of weight 0',
      inputs: [signed(3, 4), between0And1(3, 4), frameWeights],
      differentiable: [true, false, false],
      outputShape: [],
      reference: ([logits, targets, weights]) =>
        meanLoss(logits!, weights!, (logit, at) => {
          const [probability, target] = [1 / (1 + Math.exp(-logit)), targets![at]!];
          return -target * Math.log(probability) - (1 - target) * Math.log(1 - probability);
        }),
    },
  ],
  spaceToDepth: [blocks(2, 3, 4, 6, 2), blocks(1, 2, 5, 7, 2), blocks(1, 1, 7, 9, 3)],
  weightedCrossEntropy: [
    {
      title: '3 frames, one of weight 0, 4 label weights',
      inputs: [
        signed(3, 4),
        between0And1(3, 4),
        frameWeights,
        { type: 'float32', shape: [4], values: Float64Array.of(0.5, 1, 3, 10) },
      ],
      differentiable: [true, false, false, false],
      outputShape: [],
      reference: ([logits, targets, weights, labelWeights]) =>
        meanLoss(logits!, weights!, (logit, at) => {
          const [probability, target] = [1 / (1 + Math.exp(-logit)), targets![at]!];
          const ofYes = labelWeights![at % 4]! * target * Math.log(probability);
          return -ofYes - (1 - target) * Math.log(1 - probability);
        }),
    },
  ],
};

/** The mean over 4 labels and the weighted sum over frames. */
function meanLoss(
  logits: Float64Array,
  weights: Float64Array,
  lossOf: (logit: number, at: number) => number,
): Float64Array {
  let sum = 0;
  for (const [at, logit] of logits.entries()) {
    sum += lossOf(logit, at) * weights[Math.floor(at / 4)]!;
  }
  return Float64Array.of(sum / 4);
}

function convolution(
  frames: number,
  channels: number,
  height: number,
  width: number,
  filters: number,
  size: number,
  pad = 0,
): OperatorCase {
  const [outHeight, outWidth] = [height + 2 * pad - size + 1, width + 2 * pad - size + 1];
  return {
    title: `${frames}x${channels}x${height}x${width}, ${filters} filters of ${size} px, padded by ${pad}`,
    attributes: { padPx: pad },
    inputs: [
      signed(frames, channels, height, width),
      signed(filters, channels, size, size),
      signed(filters),
    ],
    differentiable: [true, true, true],
    outputShape: [frames, filters, outHeight, outWidth],
    reference([input, kernel, bias]) {
      const output = new Float64Array(frames * filters * outHeight * outWidth);
      let at = 0;
      for (let n = 0; n < frames; n += 1)
        for (let o = 0; o < filters; o += 1)
          for (let y = 0; y < outHeight; y += 1)
            for (let x = 0; x < outWidth; x += 1, at += 1) {
              let sum = bias![o]!;
              for (let c = 0; c < channels; c += 1)
                for (let dy = 0; dy < size; dy += 1)
                  for (let dx = 0; dx < size; dx += 1) {
                    const [row, column] = [y + dy - pad, x + dx - pad];
                    if (row < 0 || row >= height || column < 0 || column >= width) continue;
                    const pixel = ((n * channels + c) * height + row) * width + column;
                    const weight = ((o * channels + c) * size + dy) * size + dx;
                    sum += input![pixel]! * kernel![weight]!;
                  }
              output[at] = sum;
            }
      return output;
    },
  };
}

function pool(
  frames: number,
  channels: number,
  height: number,
  width: number,
  sizePx: number,
): OperatorCase {
  const [outHeight, outWidth] = [Math.floor(height / sizePx), Math.floor(width / sizePx)];
  return {
    title: `${frames}x${channels}x${height}x${width} by ${sizePx} px`,
    inputs: [signed(frames, channels, height, width)],
    attributes: { sizePx },
    differentiable: [true],
    outputShape: [frames, channels, outHeight, outWidth],
    reference([input]) {
      const output = new Float64Array(frames * channels * outHeight * outWidth).fill(-Infinity);
      for (let plane = 0; plane < frames * channels; plane += 1)
        for (let y = 0; y < outHeight * sizePx; y += 1)
          for (let x = 0; x < outWidth * sizePx; x += 1) {
            const to =
              (plane * outHeight + Math.floor(y / sizePx)) * outWidth + Math.floor(x / sizePx);
            output[to] = Math.max(output[to]!, input![(plane * height + y) * width + x]!);
          }
      return output;
    },
  };
}

const meanOf = (values: Float64Array): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function averages(
  frames: number,
  channels: number,
  height: number,
  width: number,
  sizePx: number,
): OperatorCase {
  const [outHeight, outWidth] = [Math.floor(height / sizePx), Math.floor(width / sizePx)];
  return {
    title: `${frames}x${channels}x${height}x${width} by ${sizePx} px`,
    inputs: [signed(frames, channels, height, width)],
    attributes: { sizePx },
    differentiable: [true],
    outputShape: [frames, channels, outHeight, outWidth],
    reference([input]) {
      const output = new Float64Array(frames * channels * outHeight * outWidth);
      for (let plane = 0; plane < frames * channels; plane += 1)
        for (let y = 0; y < outHeight * sizePx; y += 1)
          for (let x = 0; x < outWidth * sizePx; x += 1) {
            const to =
              (plane * outHeight + Math.floor(y / sizePx)) * outWidth + Math.floor(x / sizePx);
            output[to]! += input![(plane * height + y) * width + x]! / sizePx ** 2;
          }
      return output;
    },
  };
}

function normalisation(
  frames: number,
  channels: number,
  height: number,
  width: number,
  groups: number,
  hasGain: boolean,
): OperatorCase {
  const input = signed(frames, channels, height, width);
  const members = (channels / groups) * height * width;
  return {
    title: `${frames}x${channels}x${height}x${width} in ${groups} groups, ${hasGain ? 'with' : 'without'} gain`,
    inputs: hasGain ? [input, between0And1(channels), signed(channels)] : [input],
    attributes: { groups },
    differentiable: hasGain ? [true, true, true] : [true],
    outputShape: [frames, channels, height, width],
    reference([values, gain, bias]) {
      const output = new Float64Array(values!.length);
      for (let start = 0; start < output.length; start += members) {
        const group = values!.subarray(start, start + members);
        const mean = meanOf(group);
        const variance = meanOf(group.map((value) => (value - mean) ** 2));
        for (const [at, value] of group.entries()) {
          const channel = Math.floor((start + at) / (height * width)) % channels;
          const normalised = (value - mean) / Math.sqrt(variance + 1e-5);
          output[start + at] = normalised * (gain?.[channel] ?? 1) + (bias?.[channel] ?? 0);
        }
      }
      return output;
    },
  };
}

function blocks(
  frames: number,
  channels: number,
  height: number,
  width: number,
  sizePx: number,
): OperatorCase {
  const [outHeight, outWidth] = [Math.floor(height / sizePx), Math.floor(width / sizePx)];
  const outChannels = channels * sizePx * sizePx;
  return {
    title: `${frames}x${channels}x${height}x${width} in blocks of ${sizePx} px`,
    inputs: [signed(frames, channels, height, width)],
    attributes: { sizePx },
    differentiable: [true],
    outputShape: [frames, outChannels, outHeight, outWidth],
    reference([input]) {
      const output = new Float64Array(frames * outChannels * outHeight * outWidth);
      let at = 0;
      for (let n = 0; n < frames; n += 1)
        for (let o = 0; o < outChannels; o += 1)
          for (let y = 0; y < outHeight; y += 1)
            for (let x = 0; x < outWidth; x += 1, at += 1) {
              // The place within the block is outermost, the channel innermost.
              const [place, c] = [Math.floor(o / channels), o % channels];
              const row = y * sizePx + Math.floor(place / sizePx);
              const column = x * sizePx + (place % sizePx);
              output[at] = input![((n * channels + c) * height + row) * width + column]!;
            }
      return output;
    },
  };
}
