export {
  type Classifier,
  type ClassifierCollaborators,
  type ClassifyOptions,
  createClassifier,
  type Lent,
} from './classifier.js';
export type { ExplainWish, Explanation, LabelMap } from './explanation.js';
export type { Outcome, Prediction, Timings } from './prediction.js';
