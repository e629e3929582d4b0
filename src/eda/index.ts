export type { EdaSummary, ExploreOptions } from './explore.js';
export { exploreDataset } from './explore.js';
export { openForExploring } from './open.js';
export { readLabels } from './read-labels.js';
export type { LabelledFrame, LabelledFrames, LabelSummary } from './summary.js';
export { summarise } from './summary.js';
