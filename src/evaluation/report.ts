/** Scores of one label. */
export interface LabelReport {
  readonly label: string;
  /** Frames that have the label. */
  readonly support: number;
  readonly threshold: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
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
  readonly microF1: number;
  /** Over all labels; an absent label counts 0. */
  readonly macroF1: number;
  /** Over the labels that are present. */
  readonly macroF1Present: number;
  /** Over the present labels where it is defined; NaN, in JSON null, when it is for none. */
  readonly macroAurocPresent: number;
  /** NaN, in JSON null, when no label is present. */
  readonly macroAveragePrecisionPresent: number;
  /** Natural logarithm, probabilities kept 1e-7 from 0 and 1. */
  readonly meanBinaryCrossEntropy: number;
  readonly labels: readonly LabelReport[];
}
