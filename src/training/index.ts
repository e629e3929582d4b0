export type { EpochScores, Run, RunEvent, RunEventBody, RunSpec, RunState } from './run.js';
