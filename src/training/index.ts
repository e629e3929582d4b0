export type { EpochScores, Run, RunEvent, RunEventBody, RunSpec, RunState } from './run.js';
export { parseRunSpec } from './run-spec.js';
