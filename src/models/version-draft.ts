import { DomainError } from '../errors.js';
import type { InputSpec } from '../frames/index.js';
import type { LabelSet } from '../label-set.js';
import type { DriftThreshold, ExplanationSpec, Manifest, Scores } from './model.js';
import { assertModelName } from './model-ref.js';
import type { SeenFrames } from './seen-frames.js';

/** What a version is made of, before it has a number. */
export interface VersionDraft {
  readonly name: string;
  /** An ONNX ModelProto: uint8 `[N, C, H, W]` in, float32 `[N, labels]` probabilities out. */
  readonly model: Uint8Array;
  readonly labels: LabelSet;
  readonly inputSpec: InputSpec;
  readonly thresholds: readonly number[];
  readonly thresholdsSource: string;
  /** @default null, for a model whose probabilities are served as they came */
  readonly calibration?: Manifest['calibration'];
  /** Only where the graph has an output `distance`. @default null */
  readonly drift?: DriftThreshold | null;
  /** The graph that explains its answers, and what comes of it. @default null */
  readonly explanation?: { readonly model: Uint8Array; readonly spec: ExplanationSpec } | null;
  /** The frames that it has met. @default null, where nobody knows */
  readonly seen?: SeenFrames | null;
  readonly scores: Scores | null;
  readonly runId: string | null;
  /** @default null, for a model that was made elsewhere */
  readonly training?: Manifest['training'];
  readonly datasetFingerprint: string | null;
  readonly parent: string | null;
  readonly golden: {
    /** uint8 `[C, H, W]`. */
    readonly frame: Uint8Array;
    /** Its probabilities, one per label, by the runtime that will serve it. */
    readonly output: ArrayLike<number>;
  };
}

/** Throws `option_invalid` that lists everything that does not fit together. */
export function assertDraft({ name, labels, thresholds, inputSpec, golden }: VersionDraft): void {
  assertModelName(name);
  const { channels, widthPx, heightPx } = inputSpec;
  const faults: string[] = [];
  if (labels.length === 0) faults.push('labels: expected at least one');
  if (new Set(labels).size < labels.length) faults.push('labels: expected no label twice');
  if (channels.length === 0) faults.push('channels: expected at least one');
  if (new Set(channels).size < channels.length) faults.push('channels: expected no channel twice');
  if (thresholds.length !== labels.length) {
    faults.push(`thresholds: expected ${labels.length}, got ${thresholds.length}`);
  }
  if (!thresholds.every((threshold) => threshold >= 0 && threshold <= 1)) {
    faults.push('thresholds: expected 0 to 1');
  }
  const bytes = channels.length * widthPx * heightPx;
  if (golden.frame.byteLength !== bytes) {
    faults.push(`golden frame: expected ${bytes} bytes, got ${golden.frame.byteLength}`);
  }
  if (golden.output.length !== labels.length) {
    faults.push(`golden output: expected ${labels.length}, got ${golden.output.length}`);
  }
  if (faults.length > 0) throw new DomainError('option_invalid', faults.join('; '));
}
