export type { Outcome, Prediction, Timings } from './prediction.js';
