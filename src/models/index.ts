export type { Explained } from './explainer.js';
export { createGoldenFrame, largestDifference } from './golden.js';
export type {
  Calibration,
  DriftThreshold,
  ExplanationSpec,
  Manifest,
  ModelState,
  Scores,
  StoredModel,
} from './model.js';
export { aliases, assertModelName, parseModelRef } from './model-ref.js';
export { type ModelStore, openModelStore, type VersionDraft } from './model-store.js';
export {
  createRegistry,
  type Handle,
  type ImportDraft,
  type LoadedView,
  type Registry,
  type RegistryOptions,
} from './registry.js';
