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
export { planResize } from './plan-resize.js';
export { preparation } from './preparation.js';
export { createPreparer, type PreparerOptions } from './preparer.js';
export { resizeArea } from './resize-area.js';
export { resizeBilinear } from './resize-bilinear.js';
export type { ResizePlan } from './resize-plan.js';
export { levelsOf } from './to-uint8.js';
export { bytesPerPixel } from './validate.js';
