import type { DeviceName } from '../../engines/index.js';
import type { Calibration, DriftThreshold, ExplanationSpec, Scores } from '../../models/index.js';
import type { Parent } from '../parent.js';
import type { RunEventBody } from '../run.js';
import type { FrameCacheOptions } from './frame-cache.js';

/** What the trainer process is started with. */
export interface ProcessOptions {
  /** Folder of the run, with its spec in it. */
  readonly folder: string;
  /** Where the steps of ONNX Runtime run: on the first that starts. */
  readonly devices: readonly DeviceName[];
  /** Steps of a call of the runtime; 0 is as many as suit the device. */
  readonly stepsPerCall: number;
  /** Threads of the runtime; 0 is one a core. */
  readonly threads: number;
  /** Package or folder of TensorFlow, for runs that ask for it; null for those of npm. */
  readonly tensorflowPackage: string | null;
  /** Part of the time that steps take while the parent answers frames, above 0 and up to 1. */
  readonly share: number;
  /** A checkpoint is written after each epoch, and at a step when the last is so old. */
  readonly checkpointEveryMs: number;
  /** Where prepared frames are kept from run to run. */
  readonly frameCache: FrameCacheOptions;
  /** Where the run goes on from its checkpoint: how many epochs it has told of. */
  readonly resumed: { readonly epochsTold: number } | null;
  /** Of the version that it begins with; null without one, and where a checkpoint is taken up. */
  readonly parent: Pick<Parent, 'temperature' | 'givesHead'> | null;
}

/** A trained network as the process leaves it in `export/` of the run's folder. */
export interface ExportedModel {
  readonly scores: Scores;
  /** One per label, chosen on the validation part at the temperature of `calibration`. */
  readonly thresholds: readonly number[];
  readonly thresholdsSource: string;
  readonly calibration: Calibration;
  readonly datasetFingerprint: string;
  /** What `golden.bin` gave in the runtime that serves, one a label. */
  readonly goldenOutput: readonly number[];
  readonly drift: DriftThreshold;
  readonly explanation: ExplanationSpec;
}

/** How a run came out, before its model is published. */
export interface Outcome {
  readonly state: 'finished' | 'stopped' | 'failed';
  readonly reason: string;
  /** null where there are no weights worth publishing. */
  readonly exported: ExportedModel | null;
}

/** What the process tells of itself; the other events are its parent's to say. */
export type ProcessEvent = Exclude<
  RunEventBody,
  { readonly kind: 'published' | 'ended' | 'resumed' }
>;

/** What goes from the trainer process to its parent: events, and last the outcome. */
export type ProcessMessage =
  | { readonly kind: 'event'; readonly event: ProcessEvent }
  | { readonly kind: 'outcome'; readonly outcome: Outcome };

/** What goes from the parent to the trainer process: whether it answers frames now. */
export interface ParentMessage {
  readonly isServing: boolean;
}

/** Files of an exported model, within the run's folder. */
export const exportFiles = {
  model: 'export/model.onnx',
  explain: 'export/explain.onnx',
  golden: 'export/golden.bin',
  frames: 'export/frames.json',
} as const;
