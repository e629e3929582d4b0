export { drawLabels } from './draw-labels.js';
export { type Acquisition, createMicroscope } from './microscope.js';
export { createRandom, type Random } from './random.js';
export { simulateCells } from './simulate-cells.js';
export { writeSimulatedDataset } from './write-dataset.js';
