import {
  atTemperature,
  calibrationError,
  chooseThresholds,
  fitTemperature,
  reliability,
} from '../../evaluation/index.js';
import type { LabelSet } from '../../label-set.js';
import type { FrameSet } from './frame-set.js';
import type { ExportedModel } from './messages.js';

/** From which probability on a label is given, and what a probability is. */
export interface Decision
  extends Pick<ExportedModel, 'thresholds' | 'thresholdsSource' | 'calibration'> {
  /** `[N, L]`, as the published version will answer. */
  readonly probabilities: Float64Array;
}

/**
 * Fits the temperature on the validation part, then chooses the thresholds there, of the
 * probabilities at that temperature. Never on other frames: what is held out must not help.
 */
export function decide(
  answered: Float32Array,
  { targets, frames }: Pick<FrameSet, 'targets' | 'frames'>,
  labels: LabelSet,
): Decision {
  const temperature = fitTemperature({ probabilities: answered, targets });
  const probabilities = atTemperature(answered, temperature);
  const { thresholds, common } = chooseThresholds({ probabilities, targets, labels });
  const errorOf = (of: Float32Array | Float64Array) =>
    calibrationError(reliability({ probabilities: of, targets }));
  return {
    probabilities,
    thresholds,
    thresholdsSource: `chosen on validation: best F1 of each label over ${frames.length} frames, labels of few frames drawn towards ${common.toFixed(3)}`,
    calibration: {
      temperature,
      errorBefore: errorOf(answered),
      errorAfter: errorOf(probabilities),
      frameCount: frames.length,
    },
  };
}
