import type { Precision } from '../engines/index.js';
import type { InputSpec } from '../frames/index.js';
import type { LabelSet } from '../label-set.js';

/** loading > warming > ready > draining > gone; any > failed. `stored` is on disk only. */
export type ModelState =
  | 'stored'
  | 'loading'
  | 'warming'
  | 'ready'
  | 'draining'
  | 'gone'
  | 'failed';

/** What a version was scored with when it was made, on frames it had not seen, at 0.5. */
export interface Scores {
  readonly frameCount: number;
  readonly loss: number;
  readonly binaryAccuracy: number;
  readonly alwaysNoAccuracy: number;
  /** Over all labels; an absent label counts 0. */
  readonly macroF1: number;
  /**
   * Over the labels that are present among these frames, here and below. null where none is,
   * and in versions from before it was kept.
   */
  readonly macroF1Present: number | null;
  readonly macroAveragePrecisionPresent: number | null;
  /** null in versions from before it was kept. */
  readonly atThresholds: ThresholdScores | null;
}

/**
 * The same answers at the version's own thresholds. Where these were chosen on the same
 * frames, as a run's are, others will score lower.
 */
export interface ThresholdScores {
  readonly binaryAccuracy: number;
  readonly macroF1: number;
  readonly macroF1Present: number;
}

/** How the probabilities of a version were brought to mean what they say. */
export interface Calibration {
  /** What the logits are divided by, within the graph; 1 changes nothing. */
  readonly temperature: number;
  /** Expected calibration error on the validation part, over the labels present there, before and after. */
  readonly errorBefore: number;
  readonly errorAfter: number;
  readonly frameCount: number;
}

/** Beyond which distance a frame is unlike those that a version was trained on. */
export interface DriftThreshold {
  readonly threshold: number;
  /** "99 % of 495 validation frames are nearer". */
  readonly source: string;
}

/** How a version explains itself, by the graph `explain.onnx` beside its `model.onnx`. */
export interface ExplanationSpec {
  /** Penultimate activations of a frame. */
  readonly embeddingSize: number;
  /** Size of a label's map. */
  readonly heightPx: number;
  readonly widthPx: number;
  /** The part of the frame that a map covers, in shares of its edges from the top left. */
  readonly box: {
    readonly left: number;
    readonly top: number;
    readonly right: number;
    readonly bottom: number;
  };
}

/**
 * What a version's training was asked for and came to. It lies with the version, so that a
 * copy on another machine, where its run is not, can tell it. In the words of the release
 * that trained it: what is not known there is kept and not read.
 */
export interface TrainingRecord {
  /** The whole RunSpec. */
  readonly spec: Readonly<Record<string, unknown>>;
  /** The EpochScores of each epoch, null where a score is none; empty where they were too many to carry along. */
  readonly history: readonly Readonly<Record<string, unknown>>[];
}

/** What is known of a version: `model.json` beside its `model.onnx`. */
export interface Manifest {
  readonly name: string;
  readonly version: number;
  readonly createdAt: string;
  readonly labels: LabelSet;
  readonly inputSpec: InputSpec;
  /** One per label: a probability at or above it gives the label. */
  readonly thresholds: readonly number[];
  readonly thresholdsSource: string;
  /** null for an imported model, and for one from before there was any. */
  readonly calibration: Calibration | null;
  /** null where its graph gives no distances, as an imported model's. */
  readonly drift: DriftThreshold | null;
  /** null where it gives no explanations, as an imported model. */
  readonly explanation: ExplanationSpec | null;
  readonly scores: Scores | null;
  /** The run that trained it; null for an imported model. */
  readonly runId: string | null;
  /** null for an imported model, and in versions from before it was kept. */
  readonly training: TrainingRecord | null;
  readonly datasetFingerprint: string | null;
  /** The version whose weights it began with, "cells@3"; null if none. */
  readonly parent: string | null;
  /** SHA-256 of each file beside this one, hexadecimal, by file name. */
  readonly files: Readonly<Record<string, string>>;
  /** The probabilities the golden frame (`golden.bin`, uint8 `[C, H, W]`) gave when it was made. */
  readonly goldenOutput: readonly number[];
}

/** A version on disk, and what became of it in memory. */
export interface StoredModel {
  readonly manifest: Manifest;
  readonly state: ModelState;
  /** "live", "previous", "candidate" where they point at this version. */
  readonly aliases: readonly string[];
  readonly device: string;
  /** null unless it is loaded. */
  readonly precision: Precision | null;
  /** Why it is in full precision although half was wanted; empty if there is nothing to say. */
  readonly precisionNote: string;
  /** Which raw planes are resized in the graph, and which are not and why; empty before any came. */
  readonly resizeNote: string;
  readonly failure: string;
}

/** What can be asked for by name: "name", "name@3", "name@candidate". */
export interface ModelRef {
  readonly name: string;
  readonly selector: { readonly alias: string } | { readonly version: number };
}
