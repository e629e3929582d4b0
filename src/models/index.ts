export type { Explained, Explainer, ExplainRequest } from './explainer.js';
export { createGoldenFrame, goldenTolerance, largestDifference } from './golden.js';
export type {
  Calibration,
  DriftThreshold,
  ExplanationSpec,
  Manifest,
  ModelRef,
  ModelState,
  Scores,
  StoredModel,
} from './model.js';
export { type Alias, aliases, assertModelName, parseModelRef } from './model-ref.js';
export {
  type Aliases,
  type ModelStore,
  openModelStore,
  type VersionDraft,
  type VersionFile,
} from './model-store.js';
export {
  createRegistry,
  type Handle,
  type ImportDraft,
  type LoadedView,
  type Registry,
  type RegistryCollaborators,
  type RegistryOptions,
} from './registry.js';
