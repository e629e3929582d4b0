export type { Engine, RunResult, Session, SessionSpec } from './engine.js';
export type { GraphRunner, GraphTensor } from './graph-runner.js';
