export { exploreDataset } from './explore.js';
export { openForExploring } from './open.js';
export { readLabels } from './read-labels.js';
export { summarise } from './summary.js';
