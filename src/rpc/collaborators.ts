import type { BatchedRow, Priority, WhenFull } from '../batching/index.js';
import type { ExplainWish, Prediction } from '../classify/index.js';
import type { EvaluatedPart, GateMetric } from '../evaluation/index.js';
import type { Frame, InputSpec } from '../frames/index.js';
import type { PixelScaling } from '../graph/index.js';
import type { Run, RunEvent } from '../training/index.js';
import type { VersionComparison } from './wire/comparison.js';
import type { ModelDescription } from './wire/model.js';
import type { VersionReport } from './wire/report.js';

/** A version on loan, as far as the edge looks at it. */
export interface HandleLike {
  readonly manifest: {
    readonly name: string;
    readonly version: number;
    readonly labels: readonly string[];
    readonly thresholds: readonly number[];
    /** Absent or null where it gives no distances. */
    readonly drift?: { readonly threshold: number } | null;
    readonly inputSpec: InputSpec;
  };
  readonly device: string;
  /** "full" or "half". */
  readonly precision: string;
  release(): void;
}

/** Lends versions. */
export interface LenderLike<Handle extends HandleLike = HandleLike> {
  /** Throws `model_unknown`, `not_ready` or `model_failed`. */
  acquire(ref: string): Promise<Handle>;
}

/** Classifies one frame with a version on loan. */
export interface ClassifierLike<Handle extends HandleLike = HandleLike> {
  classify(
    frame: Frame,
    handle: Handle,
    options: {
      readonly signal?: AbortSignal | undefined;
      readonly deadlineAtMs?: number | undefined;
      readonly priority?: Priority | undefined;
      readonly explain?: ExplainWish | null | undefined;
      readonly whenFull?: WhenFull | undefined;
      readonly streamId?: string | undefined;
    },
  ): Promise<Prediction>;
}

/** Runs pixels that are prepared already with a version on loan. */
export interface PixelClassifierLike<Handle extends HandleLike = HandleLike> {
  /** `pixels` are uint8 `[C, H, W]` of the version's inputSpec; not to be changed until it settles. */
  classifyPixels(
    pixels: Uint8Array,
    handle: Handle,
    options: {
      readonly signal?: AbortSignal | undefined;
      readonly deadlineAtMs?: number | undefined;
      readonly priority?: Priority | undefined;
      readonly whenFull?: WhenFull | undefined;
      readonly streamId?: string | undefined;
      readonly isRetriedByCaller?: boolean | undefined;
    },
  ): Promise<BatchedRow>;
}

/** A model made elsewhere, as it came. */
export interface ModelDraft {
  readonly name: string;
  readonly onnx: Uint8Array;
  readonly labels: readonly string[];
  /** A size of 0 is taken from the graph. */
  readonly inputSpec: InputSpec;
  /** One per label. */
  readonly thresholds: readonly number[];
  readonly thresholdsSource: string;
  /** What a graph of floats is fed with; what is not said is as `PixelScaling` has it. */
  readonly scaling?: PixelScaling;
  /** Whether the graph gives logits, so that a sigmoid is put behind it. @default false */
  readonly logits?: boolean;
}

/** What a promotion is to be judged by: labelled frames, and how much better it must be there. */
export interface PromotionGate {
  readonly dataPath: string;
  /** At least so much more than the live version; 0: no less. */
  readonly margin: number;
  readonly metric: GateMetric;
}

/** The models, as an operator sees them. */
export interface ModelAdmin {
  list(): Promise<readonly ModelDescription[]>;
  describe(ref: string): Promise<ModelDescription>;
  /** Throws `gate_refused` with the numbers where a gate, given or the server's own, is not passed. */
  promote(
    name: string,
    version: number,
    asked?: {
      readonly gate?: PromotionGate | undefined;
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<ModelDescription>;
  rollback(name: string): Promise<ModelDescription>;
  import(draft: ModelDraft): Promise<ModelDescription>;
}

/** The training runs, as a caller sees them. */
export interface RunAdmin {
  /** `spec` is as it came, only the given fields. Throws `option_invalid` with every fault. */
  start(spec: Readonly<Record<string, unknown>>, runId: string | undefined): Promise<Run>;
  /** Takes up an interrupted run; its new events begin at `fromNumber`. */
  resume(runId: string): Promise<{ readonly run: Run; readonly fromNumber: number }>;
  watch(runId: string, fromNumber: number, signal: AbortSignal): AsyncIterable<RunEvent>;
  stop(runId: string): Promise<Run>;
  get(runId: string): Promise<Run>;
  list(): Promise<readonly Run[]>;
}

/** Scores a version on a dataset of the server. */
export type Evaluate = (
  request: {
    readonly dataPath: string;
    readonly model: string;
    /** So many frames whose labels the version doubts most are named. */
    readonly doubtCount: number;
    readonly part: EvaluatedPart;
  },
  way: {
    readonly onProgress: (done: number, total: number) => void;
    readonly signal: AbortSignal;
  },
) => Promise<VersionReport>;

/** Compares two versions on a dataset of the server; progress counts the frames of both. */
export type Compare = (
  request: {
    readonly dataPath: string;
    readonly model: string;
    readonly compareWith: string;
    /** The frames that are of it for both. */
    readonly part: EvaluatedPart;
  },
  way: Parameters<Evaluate>[1],
) => Promise<VersionComparison>;
