/** A covariance estimate that can be inverted, however few rows there are. */
export interface ShrunkCovariance {
  /** `[D, D]`, row-major. */
  readonly covariance: Float64Array;
  /** 0..1: how much of it is the mean variance in every direction. */
  readonly shrinkage: number;
}

/** Two rows leave no error to see, and their covariance could not be inverted without any. */
const leastShrinkage = 1e-6;

/**
 * The covariance of centred rows, `[N, D]`, drawn towards a multiple of the identity by as
 * much as minimises its expected error.
 *
 * Source: Ledoit and Wolf, A well-conditioned estimator for large-dimensional covariance
 * matrices, J. Multivariate Analysis 88 (2004) 365–411, section 3.
 */
export function shrunkCovariance(
  rows: Float64Array,
  rowCount: number,
  size: number,
): ShrunkCovariance {
  const covariance = new Float64Array(size * size);
  // Of all rows, the sum of their squared lengths squared: the spread of the estimate.
  let fourth = 0;
  for (let row = 0; row < rowCount; row += 1) {
    const at = row * size;
    let square = 0;
    for (let i = 0; i < size; i += 1) {
      const value = rows[at + i]!;
      square += value * value;
      for (let j = 0; j <= i; j += 1) covariance[i * size + j]! += value * rows[at + j]!;
    }
    fourth += square * square;
  }
  let squares = 0;
  let trace = 0;
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      const value = covariance[i * size + j]! / rowCount;
      covariance[i * size + j] = value;
      covariance[j * size + i] = value;
      squares += value * value * (i === j ? 1 : 2);
    }
    trace += covariance[i * size + i]!;
  }
  const mean = trace / size;
  const spread = (squares - mean * mean * size) / size;
  const error = (fourth / rowCount - squares) / size / rowCount;
  // Rows that are all alike leave nothing to estimate: any positive matrix will do.
  const shrinkage = spread > 0 ? Math.min(1, Math.max(leastShrinkage, error / spread)) : 1;
  for (let at = 0; at < covariance.length; at += 1) covariance[at]! *= 1 - shrinkage;
  for (let i = 0; i < size; i += 1) covariance[i * size + i]! += shrinkage * (mean || 1);
  return { covariance, shrinkage };
}
