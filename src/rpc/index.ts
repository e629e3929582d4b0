export type { Serving } from './auxiliary.js';
export type {
  ClassifierLike,
  Compare,
  Evaluate,
  HandleLike,
  LenderLike,
  ModelAdmin,
  ModelDraft,
  PixelClassifierLike,
  PromotionGate,
  RunAdmin,
} from './collaborators.js';
export {
  openRpcPort,
  type RpcPort,
  type RpcPortCollaborators,
  type RpcPortOptions,
} from './rpc-port.js';
export { fromServiceError } from './status.js';
export { fromWireComparison, type VersionComparison } from './wire/comparison.js';
export type { Delivery, Overflow, WireModelState } from './wire/enums.js';
export { type FrameInput, toWireFrame, toWireInputSpec } from './wire/frame.js';
export { fromWireModel, type ModelDescription, toWireGate } from './wire/model.js';
export {
  type Answer,
  fromWirePrediction,
  fromWireStreamModel,
  type StreamModel,
  type StreamOptions,
  toWirePriority,
  toWireStreamOptions,
} from './wire/prediction.js';
export { fromWireReport, toWirePart, type VersionReport } from './wire/report.js';
export { fromWireRun, fromWireRunEvent, toWireRunSpec } from './wire/run.js';
