export {
  type Classifier,
  type ClassifyOptions,
  createClassifier,
  type Lent,
} from './classifier.js';
export type { Outcome, Prediction, Timings } from './prediction.js';
