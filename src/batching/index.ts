export type { Priority, WhenFull } from '../queue/index.js';
export { type Batcher, createBatcher } from './batcher.js';
export type { Clock } from './clock.js';
export { systemClock } from './clock.js';
export type {
  BatchedRow,
  BatcherCollaborators,
  BatcherOptions,
  RunBatch,
  SubmitOptions,
} from './options.js';
export { defaultBatcherOptions } from './options.js';
export { mayGainMore } from './run-time.js';
export type { DropReason } from './ticket.js';
