export { backOffMs } from './back-off.js';
export { checkDevice, remedyOf } from './device-checks.js';
export { automaticDevices, type DeviceName, deviceNames, devices } from './devices.js';
export type {
  Engine,
  GraphSession,
  Precision,
  ResizePlace,
  Session,
  SessionSpec,
} from './engine.js';
export { createEnginePool } from './engine-pool.js';
export { createFakeEngine, fakeProbabilities } from './fake-engine.js';
export type { GraphRunner, GraphTensor } from './graph-runner.js';
export { createMachine, type Machine } from './machine.js';
export { createOnnxEngine, type OnnxEngineOptions } from './onnxruntime-engine.js';
export { createOnnxGraphRunner } from './onnxruntime-graph-runner.js';
export { openRemoteEngine } from './open-remote-engine.js';
export { assertStarts } from './probe-device.js';
export { createTensorflowEngine, type TensorflowEngineOptions } from './tensorflow-engine.js';
export { createTensorflowGraphRunner } from './tensorflow-graph-runner.js';
export { withGraphs } from './with-graphs.js';
