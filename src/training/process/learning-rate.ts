import type { RunSpec } from '../run.js';

/** What the rate of a step follows from. */
export interface LearningRateOptions
  extends Pick<RunSpec, 'learningRate' | 'epochs' | 'schedule' | 'warmUp'> {
  /** Of all epochs, if none is spared. */
  readonly totalSteps: number;
}

/** The rate of the step after `stepsDone` steps, before Adam's bias correction. */
export function learningRateAfter(stepsDone: number, options: LearningRateOptions): number {
  return schedules[options.schedule](stepsDone, options);
}

/** Every schedule by the name that a RunSpec gives. */
const schedules: Readonly<
  Record<RunSpec['schedule'], (stepsDone: number, options: LearningRateOptions) => number>
> = {
  /**
   * The rate over 1 + decay · steps, where the decay is the rate over the number of epochs.
   *
   * Source: the argument `decay` of Keras's optimisers up to 2.10, "time-based decay".
   */
  decay: (stepsDone, { learningRate, epochs }) =>
    learningRate / (1 + (learningRate / epochs) * stepsDone),

  /**
   * Up in equal stairs to the rate over the warm-up, then down half a cosine that would
   * reach 0 at the step after the last.
   *
   * Source: Loshchilov and Hutter, SGDR, ICLR 2017, arXiv 1608.03983, equation 5, without
   * restarts; the warm-up is Goyal et al.'s, arXiv 1706.02677, section 2.2.
   */
  cosine(stepsDone, { learningRate, totalSteps, warmUp }) {
    const warmUpSteps = Math.ceil(warmUp * totalSteps);
    if (stepsDone < warmUpSteps) return (learningRate * (stepsDone + 1)) / warmUpSteps;
    const done = Math.min(1, (stepsDone - warmUpSteps) / Math.max(1, totalSteps - warmUpSteps));
    return (learningRate * (1 + Math.cos(Math.PI * done))) / 2;
  },
};
