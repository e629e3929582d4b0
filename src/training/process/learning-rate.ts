/** What the rate of a step follows from. */
export interface LearningRateOptions {
  /** Rate of the first step. */
  readonly learningRate: number;
  readonly epochs: number;
}

/**
 * Adam's rate before its bias correction, after `stepsDone` steps: the rate over
 * 1 + decay · steps, where the decay is the rate over the number of epochs.
 *
 * Source: the argument `decay` of Keras's optimisers up to 2.10, "time-based decay".
 */
export function learningRateAfter(
  stepsDone: number,
  { learningRate, epochs }: LearningRateOptions,
): number {
  return learningRate / (1 + (learningRate / epochs) * stepsDone);
}
