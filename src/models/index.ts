export type { Manifest, ModelRef, ModelState, Scores, StoredModel } from './model.js';
