import type { DeviceName, Precision } from '../../src/engines/index.js';

/** One measurement. */
export interface Row {
  readonly what: 'engine' | 'raw planes' | 'server' | 'training' | 'epoch';
  readonly by: string;
  readonly isYardstick: boolean;
  readonly batchSize: number;
  readonly framesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What is measured, as the command line says. */
export interface GpuBenchOptions {
  readonly device: DeviceName;
  /** Of each measurement. */
  readonly forMs: number;
  readonly batchSizes: readonly number[];
  readonly precisions: readonly Precision[];
  /** Engine workers. */
  readonly workers: readonly number[];
  readonly trainingBatch: number;
  /** Frames that train in an epoch. */
  readonly epochFrames: number;
  /** Training steps of a call. */
  readonly stepsPerCall: readonly number[];
  readonly python: string;
}

/** What a part of the benchmark hands on. */
export interface Parts {
  /** A line about what is measured now. */
  say(line: string): void;
  /** Notes that a part could not be measured; the others go on. */
  miss(what: string, thrown: unknown): void;
}
