export { drawLabels } from './draw-labels.js';
export { type Acquisition, createMicroscope, type MicroscopeOptions } from './microscope.js';
export { createRandom, mixSeed, type Random } from './random.js';
export { type SimulateOptions, simulateCells } from './simulate-cells.js';
export { type SimulatedDatasetOptions, writeSimulatedDataset } from './write-dataset.js';
