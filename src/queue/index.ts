export { FairQueue } from './fair-queue.js';
export { createGate, type Gate, type GateOptions } from './gate.js';
export { type Bounds, makeRoom } from './make-room.js';
export { createRecentMean } from './recent-mean.js';
export {
  type Newcomer,
  type Place,
  type Priority,
  priorities,
  toPlace,
  type Waiting,
  type WhenFull,
} from './waiting.js';
