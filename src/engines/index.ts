export { type CheckOptions, checkDevice, type DeviceFinding } from './device-checks.js';
export { automaticDevices, type Device, type DeviceName, deviceNames, devices } from './devices.js';
export type {
  Engine,
  GraphSession,
  GraphSpec,
  Precision,
  RunResult,
  Session,
  SessionSpec,
} from './engine.js';
export { createEnginePool } from './engine-pool.js';
export { createFakeEngine, type FakeEngineOptions, fakeProbabilities } from './fake-engine.js';
export type { GraphRunner, GraphTensor } from './graph-runner.js';
export { createMachine, type Machine } from './machine.js';
export {
  createOnnxEngine,
  type OnnxEngineCollaborators,
  type OnnxEngineOptions,
} from './onnxruntime-engine.js';
export { createOnnxGraphRunner, type OnnxGraphRunnerOptions } from './onnxruntime-graph-runner.js';
export {
  createRemoteEngine,
  type RemoteEngineCollaborators,
  type RemoteEngineOptions,
} from './remote-engine.js';
export {
  createTensorflowEngine,
  type TensorflowEngineCollaborators,
  type TensorflowEngineOptions,
} from './tensorflow-engine.js';
export {
  createTensorflowGraphRunner,
  type TensorflowGraphRunner,
  type TensorflowRunnerOptions,
  type TensorflowStep,
} from './tensorflow-graph-runner.js';
export { withGraphs } from './with-graphs.js';
