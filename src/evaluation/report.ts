import type { Intervals } from './bootstrap.js';
import type { ReliabilityBin } from './calibration.js';
import type { DoubtedFrame } from './doubts.js';
import type { LabelPair } from './pairs.js';
import type { SeenReport } from './seen.js';

/** Scores of one label. */
export interface LabelReport {
  readonly label: string;
  /** Frames that have the label. */
  readonly support: number;
  /** Frames that were given the label and have it not. */
  readonly wronglyGiven: number;
  readonly threshold: number;
  /** null where no frame has the label, here and in the two below: there was nothing to find. */
  readonly precision: number | null;
  readonly recall: number | null;
  readonly f1: number | null;
  /** null without both positive and negative frames. */
  readonly auroc: number | null;
  /** null without a frame that has the label. */
  readonly averagePrecision: number | null;
}

/** Scores of predictions against truth, as scikit-learn defines them. */
export interface Report {
  readonly frameCount: number;
  readonly binaryAccuracy: number;
  /** Binary accuracy of answering "no" to every label of every frame. */
  readonly alwaysNoAccuracy: number;
  readonly exactMatch: number;
  readonly microPrecision: number;
  readonly microRecall: number;
  readonly microF1: number;
  /** Over all labels; an absent label counts 0, here and in the two below. */
  readonly macroPrecision: number;
  readonly macroRecall: number;
  readonly macroF1: number;
  /**
   * Over the labels that are present, here and in the two below. Labels of no frame that are
   * given all the same change none of the three.
   */
  readonly macroPrecisionPresent: number;
  readonly macroRecallPresent: number;
  readonly macroF1Present: number;
  /**
   * Over the labels that a frame has or was given; one that was only given counts 0, be it
   * given once or always.
   */
  readonly macroF1TrueOrGiven: number;
  /** Every label weighted by how many frames have it. */
  readonly weightedPrecision: number;
  readonly weightedRecall: number;
  readonly weightedF1: number;
  /** Over the present labels where it is defined; NaN, in JSON null, when it is for none. */
  readonly macroAurocPresent: number;
  /** NaN, in JSON null, when no label is present. */
  readonly macroAveragePrecisionPresent: number;
  /** Natural logarithm, probabilities kept 1e-7 from 0 and 1. */
  readonly meanBinaryCrossEntropy: number;
  /**
   * How far a probability lies from what it should be, on average over the answers about
   * present labels: what a version's own calibration says too. 0 when no label is present.
   */
  readonly expectedCalibrationErrorPresent: number;
  /** The same answers in ten bins of equal width, empty ones left out. */
  readonly reliabilityPresent: readonly ReliabilityBin[];
  /** The same over all answers, those about absent labels as well. */
  readonly expectedCalibrationError: number;
  readonly reliability: readonly ReliabilityBin[];
  readonly labels: readonly LabelReport[];
  /** What is taken for what, the most frequent first. */
  readonly pairs: readonly LabelPair[];
  /** null where none were drawn. */
  readonly intervals: Intervals | null;
  /** The frames whose labels the model doubts most; none where they were not asked for. */
  readonly doubts: readonly DoubtedFrame[];
  /** Absent where the version gives no distances. */
  readonly drift?: DriftReport | undefined;
  /** How far the frames are new to the version; absent where no version is scored. */
  readonly seen?: SeenReport | undefined;
}

/** How many of the frames are unlike those that a version was trained on. */
export interface DriftReport {
  /** The distance beyond which a frame is. */
  readonly threshold: number;
  /** Their share of the frames, 0..1. */
  readonly beyondShare: number;
}
