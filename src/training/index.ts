export { completeSpec, defaultInputSpec } from './complete-spec.js';
export { completeScores } from './epoch-scores.js';
export type { Promote, VersionStore } from './publish-run.js';
export { recipes } from './recipes.js';
export type {
  EpochScores,
  OpenRunSpec,
  Run,
  RunEvent,
  RunEventBody,
  RunSpec,
  RunState,
} from './run.js';
export { parseRunSpec } from './run-spec.js';
export { createRunStore, type RunStore } from './run-store.js';
export {
  createTrainer,
  type Serving,
  type Trainer,
  type TrainerCollaborators,
  type TrainerOptions,
} from './trainer.js';
