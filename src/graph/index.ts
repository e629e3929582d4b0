export { atTemperature } from './at-temperature.js';
export { type DescriptorParts, descriptorParts, type Whitening } from './descriptor.js';
export { drawDropoutMasks, type MaskTensor } from './dropout-masks.js';
export { buildExplanation, labelsPerExplanation, type ServedGraph } from './explanation.js';
export { frozenParameters } from './frozen.js';
export type { GraphPort } from './graph-builder.js';
export { toHalfPrecision } from './half-precision.js';
export { buildInference, type InferenceOptions } from './inference.js';
export { initialiseParameters } from './initial-parameters.js';
export { findLandmarks, type Landmarks } from './landmarks.js';
export { layerShape } from './layers.js';
export type { Loss } from './loss.js';
export type { Layer, Network, Parameters } from './network.js';
export { countParameters, planNetwork } from './network-plan.js';
export type { AdamOptions } from './optimisers/adam.js';
export { randomOf } from './random.js';
export { readParameters } from './read-parameters.js';
export { type RepeatedStep, repeatStep } from './repeated-step.js';
export type { Box } from './seen-box.js';
export type { Lack } from './substitutes.js';
export {
  buildTrainingStep,
  type MaskSpec,
  type TrainingStep,
  type TrainingStepOptions,
} from './training-step.js';
export type { UpdateOptions } from './update.js';
