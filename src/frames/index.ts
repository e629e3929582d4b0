export type {
  Encoding,
  Frame,
  InputSpec,
  PixelType,
  Plane,
  PreparedFrame,
  Preparer,
  QualityFlag,
  Resize,
} from './frame.js';
export { hpaChannels } from './frame.js';
