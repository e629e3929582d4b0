export { isKerasFile, readKeras } from './keras.js';
export { readOnnx } from './onnx.js';
export { type LayersModel, readTfjs, type TfjsWeight, toLayersModel, writeTfjs } from './tfjs.js';
export { fromTensorFlow, type TrainedNetwork, toTensorFlow } from './weights.js';
export { writeTopology } from './write-topology.js';
