export type { Layer, Network, Parameters } from './network.js';
