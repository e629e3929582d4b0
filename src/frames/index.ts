export { resolveChannel } from './channels.js';
export { readPngHeader } from './file-header.js';
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
export type { Pixels, SizePx } from './pixels.js';
export { createPreparer, type PreparerOptions } from './preparer.js';
export { resizeArea } from './resize-area.js';
export { resizeBilinear } from './resize-bilinear.js';
