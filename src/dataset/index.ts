export type { Dataset, DatasetFrame, FrameFolder, TestFolder } from './dataset.js';
export { type Fold, foldDataset } from './fold-dataset.js';
export { linkDataset } from './link-dataset.js';
export { type OpenOptions, openDataset, openTestFolder } from './open-dataset.js';
export { readFrame } from './read-frame.js';
export { resolveDataPath } from './resolve-data-path.js';
export { shuffled } from './shuffled.js';
export { type DatasetSplit, type SplitOptions, splitDataset } from './split-dataset.js';
export { stampFrames } from './stamp-frames.js';
