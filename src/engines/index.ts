export type { Engine, RunResult, Session, SessionSpec } from './engine.js';
export type { GraphRunner, GraphTensor } from './graph-runner.js';
export { createOnnxGraphRunner, type OnnxGraphRunnerOptions } from './onnxruntime-graph-runner.js';
