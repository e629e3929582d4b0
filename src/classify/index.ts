export { assertFinite } from './assert-finite.js';
export { type Classifier, createClassifier, type Lent } from './classifier.js';
export type { ExplainWish, Explanation } from './explanation.js';
export type { Outcome, Prediction, Timings } from './prediction.js';
