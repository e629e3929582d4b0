import {
  atTemperature,
  calibrationError,
  chooseThresholds,
  fitTemperature,
  ofPresentLabels,
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
 * Absent labels would have all answers made surer than they are.
 */
export function decide(
  answered: Float32Array,
  { targets, frames }: Pick<FrameSet, 'targets' | 'frames'>,
  labels: LabelSet,
): Decision {
  const ofPresent = (probabilities: Float32Array | Float64Array) =>
    ofPresentLabels({ probabilities, targets }, labels.length);
  const temperature = fitTemperature(ofPresent(answered));
  const probabilities = atTemperature(answered, temperature);
  const groups = frames.map(({ group }) => group);
  const { thresholds, common } = chooseThresholds({ probabilities, targets, labels, groups });
  const errorOf = (of: Float32Array | Float64Array) => calibrationError(reliability(ofPresent(of)));
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
