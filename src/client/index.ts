export type {
  Answer,
  Delivery,
  FrameInput,
  ModelDescription,
  Overflow,
  PromotionGate,
  StreamModel,
  StreamOptions,
  VersionComparison,
  VersionReport,
} from '../rpc/index.js';
export type { CallOptions } from './call.js';
export type {
  ClassifyReply,
  Client,
  CompareReply,
  ConnectOptions,
  EvaluateProgress,
  EvaluateReply,
  ModelImport,
} from './client.js';
export { connect } from './client.js';
