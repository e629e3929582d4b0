export type { BootstrapOptions, Interval, Intervals, RankingIntervals } from './bootstrap.js';
export { intervalsOf } from './bootstrap.js';
export type { Answers, ReliabilityBin } from './calibration.js';
export {
  atTemperature,
  calibrationError,
  fitTemperature,
  ofPresentLabels,
  reliability,
} from './calibration.js';
export type {
  ClassifiedDataset,
  ClassifyDatasetCollaborators,
  ClassifyDatasetOptions,
  FrameFailure,
  ListedFrame,
  ScoredVersion,
} from './classify-dataset.js';
export { classifyDataset } from './classify-dataset.js';
export type { Comparison, Difference, LabelDifference } from './compare.js';
export {
  type CrossValidation,
  formatCrossValidation,
  type LabelSpread,
  type Spread,
  spreadOf,
  spreads,
  summariseFolds,
} from './cross-validation.js';
export type { Doubt, DoubtedFrame } from './doubts.js';
export { findDoubts, foremostDoubts } from './doubts.js';
export type {
  EvaluateDatasetOptions,
  Evaluation,
  EvaluationCollaborators,
  EvaluationSource,
} from './evaluate-dataset.js';
export { classifyWhole, evaluateDataset } from './evaluate-dataset.js';
export {
  comparisonNote,
  differences,
  formatComparison,
  formatP,
  isMet,
  labelTestNote,
  seenByBoth,
  signed,
  signedInterval,
} from './format-comparison.js';
export {
  averages,
  decimals,
  formatInterval,
  formatLabelInterval,
  formatRankingInterval,
  formatReport,
  headlines,
  intervalNote,
  intervalOfHeadline,
  labelsMet,
} from './format-report.js';
export { type GateMetric, gateMetrics, type Judged, refusalOf } from './gate.js';
export { type Meeting, meetingsOf } from './meetings.js';
export type { LabelPair } from './pairs.js';
export type { PredictionRow, Predictions } from './predictions.js';
export {
  labelsOver,
  readPredictions,
  toRows,
  writePredictions,
  writeWhole,
} from './predictions.js';
export type { DriftReport, LabelReport, Report } from './report.js';
export type { Scored } from './score.js';
export { crossEntropyClip, score } from './score.js';
export type { ScoreFileOptions } from './score-file.js';
export { scoreFile } from './score-file.js';
export type { Contender, ScoringOptions } from './scoring.js';
export { compareVersions } from './scoring.js';
export {
  type ChosenFrames,
  chooseFrames,
  type EvaluatedPart,
  evaluatedParts,
  type SeenCounts,
  type SeenReport,
  seenSentence,
} from './seen.js';
export { scoreRows, stackRows } from './stack-rows.js';
export type { SubmissionOptions } from './submission.js';
export { writeSubmission } from './submission.js';
export type { ChosenThresholds } from './thresholds.js';
export { chooseThresholds } from './thresholds.js';
