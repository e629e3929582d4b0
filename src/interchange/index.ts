export { isKerasFile, readKeras } from './keras.js';
export { readOnnx } from './onnx.js';
export { type LayersModel, readTfjs, toLayersModel, writeTfjs } from './tfjs.js';
export type { TrainedNetwork } from './weights.js';
export { writeTopology } from './write-topology.js';
