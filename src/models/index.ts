export type { Explained, Explainer, ExplainRequest } from './explainer.js';
export { createGoldenFrame, largestDifference } from './golden.js';
export type { ImportDraft } from './import-version.js';
export type {
  Calibration,
  DriftThreshold,
  ExplanationSpec,
  Manifest,
  ModelState,
  Scores,
  StoredModel,
  ThresholdScores,
  TrainingRecord,
} from './model.js';
export { aliases, assertModelName, parseModelRef } from './model-ref.js';
export { type ModelStore, openModelStore } from './model-store.js';
export {
  createRegistry,
  type Handle,
  type LoadedView,
  type Registry,
  type RegistryOptions,
} from './registry.js';
export {
  parseSeenFrames,
  readSeenFrames,
  type SeenFrames,
  withParentsFrames,
} from './seen-frames.js';
export type { VersionDraft } from './version-draft.js';
