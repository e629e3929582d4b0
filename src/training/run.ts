import type { InputSpec } from '../frames/index.js';
import type { LabelSet } from '../label-set.js';

/** A training, whole: every default filled in. Written to disk before anything else happens. */
export interface RunSpec {
  /** Folder in the Kaggle layout, absolute. */
  readonly dataPath: string;
  /** Name the version is published under. */
  readonly model: string;
  /** What frames are brought to. @default the parent's, else 4×128×128 of the Atlas, bilinear */
  readonly inputSpec: InputSpec;
  /** By the numbers that the dataset gives them. @default the parent's, else the 28 of the Atlas */
  readonly labels: LabelSet;
  /** @default 'seed-cnn' */
  readonly network: string;
  /** @default 60 */
  readonly epochs: number;
  /** @default 128 */
  readonly batchSize: number;
  /** Part of the dataset that is used at all, 0..1. @default 1 */
  readonly share: number;
  /** Part of the used frames that trains; the rest validates. @default 0.8 */
  readonly trainingPart: number;
  /**
   * Part of the dataset that is put aside before and takes part in nothing, whole groups where
   * it is split by group, the same ones whatever the seed; 0 to below 1. @default 0
   */
  readonly heldOut: number;
  /** `auto`: by group where the dataset has groups, else the first part. @default 'auto' */
  readonly split: 'auto' | 'first' | 'group';
  /** @default 1 */
  readonly seed: number;
  /** The rate before the schedule. @default 1e-3 */
  readonly learningRate: number;
  /** Epochs without a better validation loss before the Run stops. @default 6 */
  readonly patience: number;
  /** Makes the new version live when the Run has finished. @default false */
  readonly promote: boolean;
  /**
   * How answers are judged: binary cross-entropy, the same with a "yes" counted more the
   * rarer its label is, or focal loss. @default 'bce'
   */
  readonly loss: 'bce' | 'weighted' | 'focal';
  /** γ of the focal loss. @default 2 */
  readonly focalGamma: number;
  /** The weighted loss counts no "yes" more often than this. @default 10 */
  readonly maxPositiveWeight: number;
  /** `balanced`: frames of rare labels are drawn more often. @default 'shuffled' */
  readonly sampling: 'shuffled' | 'balanced';
  /**
   * `cells`: each time a frame comes it is flipped, turned by quarters, cropped and scaled by
   * a little and stained otherwise, by chance of the seed. @default 'none'
   */
  readonly augmentation: 'none' | 'cells' | 'sizes';
  /** What runs the steps; TensorFlow has to be installed. @default 'onnxruntime' */
  readonly engine: 'onnxruntime' | 'tensorflow';
  /** How the rate changes: rate / (1 + rate / epochs · steps), or half a cosine down to 0. @default 'decay' */
  readonly schedule: 'decay' | 'cosine';
  /** Part of the steps over which a cosine's rate rises first, 0..1; 0 is none. @default 0.05 */
  readonly warmUp: number;
  /** @default 'adam' */
  readonly optimiser: 'adam' | 'adamw';
  /** λ of AdamW, which spares biases and normalisations; 0 is plain Adam. @default 0.01 */
  readonly weightDecay: number;
  /** Bound of the norm of all gradients together; 0 is none. @default 0 */
  readonly clipNorm: number;
  /** Decay of the averaged weights, which are then scored and published; 0 is none. @default 0 */
  readonly emaDecay: number;
  /** The version whose weights it begins with, "cells@3"; '' for weights of the seed. @default '' */
  readonly parent: string;
  /** Layers that stay as they are: `conv1`, `stage1` of `stage1/conv1`, `conv*`. @default none */
  readonly freeze: readonly string[];
}

/** A RunSpec that leaves open what frames are brought to and how the labels are called. */
export interface OpenRunSpec extends Omit<RunSpec, 'inputSpec' | 'labels'> {
  readonly inputSpec: { readonly [Field in keyof InputSpec]?: InputSpec[Field] | undefined };
  /** Empty: open. */
  readonly labels: LabelSet;
}

/** running > finished | stopped | failed; stopped | failed > running where it is resumed. */
export type RunState = 'running' | 'finished' | 'stopped' | 'failed';

/**
 * What an epoch came to. The training part is scored by what its steps answered: with
 * dropout, as its frames were varied, and while the weights changed. F1 and accuracy are at
 * 0.5. Present are the labels that a frame of the part has; NaN where none is, and in epochs
 * that were scored before there was such a score.
 */
export interface EpochScores {
  readonly epoch: number;
  /** A mean over the frames of the epoch. */
  readonly trainingLoss: number;
  readonly trainingAccuracy: number;
  readonly trainingMacroF1Present: number;
  readonly trainingMacroAveragePrecisionPresent: number;
  readonly validationLoss: number;
  readonly validationAccuracy: number;
  readonly validationMacroF1Present: number;
  readonly validationMacroAveragePrecisionPresent: number;
  /** Over all labels; an absent label counts 0. */
  readonly validationMacroF1: number;
  /** Binary accuracy of answering "no" to every label. */
  readonly alwaysNoAccuracy: number;
  readonly seconds: number;
  /** The lowest validation loss so far. */
  readonly best: boolean;
}

/** What a Run tells while it goes. */
export type RunEventBody =
  | {
      readonly kind: 'started';
      readonly spec: RunSpec;
      readonly parameterCount: number;
      readonly trainingFrames: number;
      readonly validationFrames: number;
      /** Steps done by then: above 0 where a Run goes on from a checkpoint. */
      readonly stepsDone: number;
      /** "onnxruntime/cuda": what runs the steps, and where. */
      readonly device: string;
      /** Why not elsewhere, or not wholly there; empty where there is nothing to say. */
      readonly deviceNote: string;
      /**
       * Frames that the version it begins with has met, and that take the part that they had
       * there: to train instead of validating or being held out, or to validate instead of
       * being held out.
       */
      readonly movedFrames: number;
      /** Whether it is not known, or not wholly, which frames trained that version. */
      readonly isParentUnknown: boolean;
    }
  /** After an end that was none: the Run goes on, in another process. */
  | { readonly kind: 'resumed' }
  | { readonly kind: 'framesLoaded'; readonly loaded: number; readonly total: number }
  | {
      readonly kind: 'step';
      readonly epoch: number;
      readonly step: number;
      readonly stepsInEpoch: number;
      readonly loss: number;
      readonly framesPerSecond: number;
    }
  | ({ readonly kind: 'epoch' } & EpochScores)
  | { readonly kind: 'published'; readonly model: string; readonly version: number }
  | {
      readonly kind: 'ended';
      readonly state: Exclude<RunState, 'running'>;
      /** Why: "finished 60 epochs", "loss is NaN at step 812". */
      readonly reason: string;
    };

/** Numbered from 1 without gaps within a Run. */
export type RunEvent = RunEventBody & {
  readonly number: number;
  readonly runId: string;
  readonly atMs: number;
};

export interface Run {
  readonly id: string;
  readonly spec: RunSpec;
  readonly state: RunState;
  readonly failure: string;
  /** As its start told; empty before. */
  readonly device: string;
  readonly deviceNote: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  readonly publishedVersion: number | null;
  /** Whether it was interrupted and left a checkpoint to go on from. */
  readonly resumable: boolean;
  readonly history: readonly EpochScores[];
}
