export type {
  BatchedRow,
  Batcher,
  BatcherCollaborators,
  BatcherOptions,
  Priority,
  RunBatch,
  SubmitOptions,
} from './batcher.js';
export { createBatcher, defaultBatcherOptions } from './batcher.js';
export type { Clock } from './clock.js';
export { systemClock } from './clock.js';
export type { DropReason } from './ticket.js';
