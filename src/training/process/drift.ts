import { DomainError } from '../../errors.js';
import type { DescriptorParts, Whitening } from '../../graph/index.js';
import { shrunkCovariance } from './shrunk-covariance.js';

/** Descriptors of frames, as `buildInference` gives them. */
export interface Descriptors {
  /** float32 `[N, D]`. */
  readonly values: Float32Array;
  readonly frameCount: number;
}

/** Half a step of an 8-bit pixel: where every training frame is alike in it, less is no difference. */
const leastPixelDeviation = 0.5 / 255;
/** Of the activations' usual deviation: what the training never excited may wake a little. */
const leastActivationShare = 0.1;

/**
 * Fits the map that makes a descriptor's distance: the Mahalanobis distance to the mean of
 * the training's descriptors, with their covariance shrunk, over the square root of the
 * number of dimensions, so that an ordinary training frame has about 1. The pixels' part
 * and the activations' are measured apart and count the same, since the few numbers of the
 * pixels would be lost among the activations.
 *
 * Source: Lee et al., A simple unified framework for detecting out-of-distribution samples
 * (NeurIPS 2018), equation 1, with one mean: a frame has several labels, or none.
 *
 * Throws `dataset_invalid` for fewer than two frames.
 */
export function fitWhitening(
  { values, frameCount }: Descriptors,
  { ofPixels, ofEmbedding }: DescriptorParts,
): Whitening {
  const size = ofPixels + ofEmbedding;
  if (frameCount < 2) {
    throw new DomainError(
      'dataset_invalid',
      `expected at least 2 training frames to measure distances, got ${frameCount}`,
    );
  }
  const kernel = new Float32Array(size * size);
  const bias = new Float32Array(size);
  for (const [from, to] of [
    [0, ofPixels],
    [ofPixels, size],
  ] as const) {
    const part = takeColumns(values, frameCount, size, from, to);
    const { mean, deviation } = meanAndDeviation(part, frameCount);
    const usual = Math.hypot(...deviation) / Math.sqrt(to - from);
    const least = from === 0 ? leastPixelDeviation : leastActivationShare * usual || 1;
    const scale = deviation.map((own) => Math.hypot(own, least));
    const whitening = whiten(part, { mean, scale });
    // |L⁻¹ (x - mean) / scale| over the root of twice the part's size, as x · kernel + bias.
    const share = 1 / Math.sqrt(2 * (to - from));
    for (let output = 0; output < to - from; output += 1) {
      let shift = 0;
      for (let input = 0; input <= output; input += 1) {
        const weight = (share * whitening[output * (to - from) + input]!) / scale[input]!;
        kernel[(from + input) * size + from + output] = weight;
        shift -= weight * mean[input]!;
      }
      bias[from + output] = shift;
    }
  }
  return { kernel, bias };
}

/** `L⁻¹` of the covariance `L Lᵀ` of the rows, centred and scaled. */
function whiten(
  rows: Float64Array,
  { mean, scale }: { readonly mean: Float64Array; readonly scale: Float64Array },
): Float64Array {
  const size = mean.length;
  const standard = rows.map((value, at) => (value - mean[at % size]!) / scale[at % size]!);
  const { covariance } = shrunkCovariance(standard, rows.length / size, size);
  return invertLower(choleskyOf(covariance, size), size);
}

/** The value that a share of the distances do not exceed, as NumPy's `quantile` interpolates. */
export function quantileOf(distances: Float32Array, share: number): number {
  const sorted = distances.slice().sort();
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below] ?? 0;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? low;
  return low + (high - low) * (place - below);
}

function takeColumns(
  values: Float32Array,
  rowCount: number,
  stride: number,
  from: number,
  to: number,
): Float64Array {
  const part = new Float64Array(rowCount * (to - from));
  for (let row = 0; row < rowCount; row += 1) {
    part.set(values.subarray(row * stride + from, row * stride + to), row * (to - from));
  }
  return part;
}

function meanAndDeviation(rows: Float64Array, rowCount: number) {
  const size = rows.length / rowCount;
  const mean = new Float64Array(size);
  const square = new Float64Array(size);
  for (const [at, value] of rows.entries()) mean[at % size]! += value / rowCount;
  for (const [at, value] of rows.entries()) {
    square[at % size]! += (value - mean[at % size]!) ** 2 / rowCount;
  }
  return { mean, deviation: square.map(Math.sqrt) };
}

/** `L` of `L Lᵀ`, for a positive definite matrix. */
function choleskyOf(matrix: Float64Array, size: number): Float64Array {
  const lower = new Float64Array(size * size);
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column <= row; column += 1) {
      let rest = matrix[row * size + column]!;
      for (let k = 0; k < column; k += 1) {
        rest -= lower[row * size + k]! * lower[column * size + k]!;
      }
      if (row > column) lower[row * size + column] = rest / lower[column * size + column]!;
      else if (rest > 0) lower[row * size + row] = Math.sqrt(rest);
      else throw new DomainError('internal', 'bug: a shrunk covariance is not positive definite');
    }
  }
  return lower;
}

function invertLower(lower: Float64Array, size: number): Float64Array {
  const inverse = new Float64Array(size * size);
  for (let column = 0; column < size; column += 1) {
    for (let row = column; row < size; row += 1) {
      let rest = row === column ? 1 : 0;
      for (let k = column; k < row; k += 1) {
        rest -= lower[row * size + k]! * inverse[k * size + column]!;
      }
      inverse[row * size + column] = rest / lower[row * size + row]!;
    }
  }
  return inverse;
}
