/** Answers with their truth, whatever label and frame they are about. */
export interface Answers {
  /** 0..1. */
  readonly probabilities: Float32Array | Float64Array;
  /** 1 where the answer is true. */
  readonly targets: Uint8Array;
}

/**
 * The answers about labels that some frame has, of answers `[N, L]`. A label that no frame has
 * says only that its answers should be 0; many such, as where 5 of 28 are present, are answered
 * near 0 with ease and hide how far the others can be believed.
 */
export function ofPresentLabels(
  { probabilities, targets }: Answers,
  labelCount: number,
): Answers & { readonly targets: Uint8Array } {
  const isPresent = new Uint8Array(labelCount);
  for (const [at, target] of targets.entries()) if (target === 1) isPresent[at % labelCount] = 1;
  const keep = (_: number, at: number) => isPresent[at % labelCount] === 1;
  return { probabilities: probabilities.filter(keep), targets: targets.filter(keep) };
}

/** One bin of a reliability diagram. */
export interface ReliabilityBin {
  readonly meanProbability: number;
  /** Share of the answers in the bin that were true. */
  readonly trueShare: number;
  readonly count: number;
}

/** Kept this far from 0 and 1, where a float32 sigmoid has no logit to go back to. */
const logitClip = 1e-7;

/** Logit of a probability, which is kept 1e-7 from 0 and 1. */
export function toLogit(probability: number): number {
  const kept = Math.min(1 - logitClip, Math.max(logitClip, probability));
  return Math.log(kept / (1 - kept));
}

export function fromLogit(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/**
 * Probabilities in bins of equal width, empty bins left out: where the model says 0.8,
 * how often is it so? Source: Niculescu-Mizil & Caruana, "Predicting good probabilities
 * with supervised learning", ICML 2005.
 */
export function reliability(
  { probabilities, targets }: Answers,
  bins = 10,
): readonly ReliabilityBin[] {
  const sums = Array.from({ length: bins }, () => ({ probability: 0, isTrue: 0, count: 0 }));
  for (const [at, probability] of probabilities.entries()) {
    const bin = sums[Math.min(bins - 1, Math.floor(probability * bins))];
    if (bin === undefined) continue;
    bin.probability += probability;
    bin.isTrue += targets[at] ?? 0;
    bin.count += 1;
  }
  return sums
    .filter(({ count }) => count > 0)
    .map(({ probability, isTrue, count }) => ({
      meanProbability: probability / count,
      trueShare: isTrue / count,
      count,
    }));
}

/**
 * Expected calibration error: how far a probability lies from what it should be, on
 * average over the answers, by bins. Source: Naeini et al., AAAI 2015, there for the most
 * probable class; here every label of every frame is an answer.
 */
export function calibrationError(bins: readonly ReliabilityBin[]): number {
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  const apart = bins.reduce(
    (sum, { meanProbability, trueShare, count }) =>
      sum + count * Math.abs(meanProbability - trueShare),
    0,
  );
  return total === 0 ? 0 : apart / total;
}

/** Bounds of a temperature: beyond them a set is too small or too easy to tell. */
const leastTemperature = 0.1;
const mostTemperature = 10;

/**
 * The temperature by which logits are to be divided for the least cross-entropy, from 0.1
 * to 10; 1 changes nothing, more makes answers less sure. It moves no probability over 0.5
 * and no ranking of frames.
 *
 * The cross-entropy is convex in 1 / T, so that its slope is bisected.
 *
 * Source: Guo et al., "On calibration of modern neural networks", ICML 2017, section 4.2,
 * there for softmax.
 */
export function fitTemperature({ probabilities, targets }: Answers): number {
  const logits = Float64Array.from(probabilities, toLogit);
  const slopeAt = (inverse: number) => {
    let slope = 0;
    for (const [at, logit] of logits.entries()) {
      slope += (fromLogit(inverse * logit) - (targets[at] ?? 0)) * logit;
    }
    return slope;
  };
  if (logits.every((logit) => logit === 0)) return 1;
  let low = Math.log(1 / mostTemperature);
  let high = Math.log(1 / leastTemperature);
  for (let halvings = 0; halvings < 50; halvings += 1) {
    const middle = (low + high) / 2;
    if (slopeAt(Math.exp(middle)) < 0) low = middle;
    else high = middle;
  }
  return Math.exp(-(low + high) / 2);
}

/** Probabilities as they are with their logits divided by a temperature. */
export function atTemperature(
  probabilities: Float32Array | Float64Array,
  temperature: number,
): Float64Array {
  return Float64Array.from(probabilities, (probability) =>
    fromLogit(toLogit(probability) / temperature),
  );
}
