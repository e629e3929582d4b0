export { openHttpPort, portError } from './http-port.js';
export type { Log } from './log.js';
export { createLog, silentLog } from './log.js';
export type { FrameObservation, Metrics, ModelObservation } from './metrics.js';
export { createMetrics } from './metrics.js';
