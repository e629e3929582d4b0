export type {
  Answer,
  Delivery,
  FrameInput,
  ModelDescription,
  Overflow,
  PromotionGate,
  StreamModel,
  StreamOptions,
  VersionReport,
} from '../rpc/index.js';
export type { CallOptions } from './call.js';
export type {
  ClassifyReply,
  Client,
  ConnectOptions,
  EvaluateReply,
  ModelImport,
} from './client.js';
export { connect } from './client.js';
