export type { BatchedRow, Batcher, BatcherOptions, Priority, SubmitOptions } from './batcher.js';
