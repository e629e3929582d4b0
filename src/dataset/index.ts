export type { Dataset, DatasetFrame, FrameFolder } from './dataset.js';
export { type Fold, foldDataset } from './fold-dataset.js';
export { linkDataset } from './link-dataset.js';
export { openDataset, openTestFolder } from './open-dataset.js';
export { readFrame } from './read-frame.js';
export { resolveDataPath } from './resolve-data-path.js';
export { shuffled } from './shuffled.js';
export { type SplitOptions, splitDataset } from './split-dataset.js';
export { stampFrames } from './stamp-frames.js';
