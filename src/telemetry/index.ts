export { openHttpPort, portError } from './http-port.js';
export { createLog } from './log.js';
export type { FrameObservation, Metrics, ModelObservation } from './metrics.js';
export { createMetrics } from './metrics.js';
