import {
  atTemperature,
  calibrationError,
  chooseThresholds,
  fitTemperature,
  reliability,
  score,
} from '../../evaluation/index.js';
import type { LabelSet } from '../../label-set.js';
import type { ThresholdScores } from '../../models/index.js';
import type { FrameSet } from './frame-set.js';
import type { ExportedModel } from './messages.js';

/** From which probability on a label is given, and what a probability is. */
export interface Decision
  extends Pick<ExportedModel, 'thresholds' | 'thresholdsSource' | 'calibration'> {
  /** `[N, L]`, as the published version will answer. */
  readonly probabilities: Float64Array;
  /** What they come to at these thresholds, on the frames that they were chosen on. */
  readonly atThresholds: ThresholdScores;
}

/**
 * Fits the temperature on the validation part, over the labels that are present there, then chooses the thresholds there, of the
 * probabilities at that temperature. Never on other frames: what is held out must not help.
 *
 * A label that no frame has says only that its answers should be 0; many such, as where 5 of
 * 28 are present, would have all answers made surer than they are.
 */
export function decide(
  answered: Float32Array,
  { targets, frames }: Pick<FrameSet, 'targets' | 'frames'>,
  labels: LabelSet,
): Decision {
  const present = labels.map((_, label) =>
    targets.some((target, at) => target === 1 && at % labels.length === label),
  );
  const ofPresent = <T extends Float32Array | Float64Array | Uint8Array>(values: T): T =>
    // `as`: filtering an array of one kind gives one of the same kind.
    values.filter((_: number, at: number) => present[at % labels.length]) as T;
  const told = ofPresent(targets);
  const temperature = fitTemperature({ probabilities: ofPresent(answered), targets: told });
  const probabilities = atTemperature(answered, temperature);
  const groups = frames.map(({ group }) => group);
  const { thresholds, common } = chooseThresholds({ probabilities, targets, labels, groups });
  const errorOf = (of: Float32Array | Float64Array) =>
    calibrationError(reliability({ probabilities: ofPresent(of), targets: told }));
  const { binaryAccuracy, macroF1, macroF1Present } = score({
    ...{ probabilities, targets, labels, thresholds },
  });
  return {
    probabilities,
    thresholds,
    atThresholds: { binaryAccuracy, macroF1, macroF1Present },
    thresholdsSource: `chosen on validation: best F1 of each label over ${frames.length} frames, labels of few fields drawn towards ${common.toFixed(3)}`,
    calibration: {
      temperature,
      errorBefore: errorOf(answered),
      errorAfter: errorOf(probabilities),
      frameCount: frames.length,
    },
  };
}
