export { atTemperature } from './at-temperature.js';
export { drawDropoutMasks, type MaskTensor } from './dropout-masks.js';
export { frozenParameters } from './frozen.js';
export type { GraphPort } from './graph-builder.js';
export { buildInference } from './inference.js';
export { initialiseParameters } from './initial-parameters.js';
export { layerShape } from './layers.js';
export type { Loss } from './loss.js';
export type { Layer, Network, Parameters } from './network.js';
export { countParameters, planNetwork } from './network-plan.js';
export type { AdamOptions } from './optimisers/adam.js';
export { randomOf } from './random.js';
export { readParameters } from './read-parameters.js';
export type { Lack } from './substitutes.js';
export {
  buildTrainingStep,
  type MaskSpec,
  type TrainingStep,
  type TrainingStepOptions,
} from './training-step.js';
export type { UpdateOptions } from './update.js';
