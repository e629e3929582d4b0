import type { InputSpec } from '../../frames/index.js';
import type { Model as WireModel } from '../../gen/cytostream/v1/model.js';
import { modelStates, type WireModelState } from './enums.js';
import { fromWireInputSpec, toWireInputSpec } from './frame.js';

/** One version of a model, as the server describes it. */
export interface ModelDescription {
  readonly name: string;
  readonly version: number;
  readonly state: WireModelState;
  /** "live", "previous", "candidate". */
  readonly aliases: readonly string[];
  readonly labels: readonly string[];
  readonly thresholds: readonly number[];
  /** "default 0.5", "chosen on validation". */
  readonly thresholdsSource: string;
  readonly inputSpec: InputSpec;
  /** null when it was never scored, as an imported model. */
  readonly scores: {
    readonly frameCount: number;
    readonly loss: number;
    readonly binaryAccuracy: number;
    readonly alwaysNoAccuracy: number;
    readonly macroF1: number;
  } | null;
  readonly createdAtMs: number;
  /** Empty for an imported model. */
  readonly runId: string;
  readonly datasetFingerprint: string;
  /** SHA-256 of model.onnx, hexadecimal. */
  readonly sha256: string;
  /** Empty if not loaded. */
  readonly device: string;
  /** Why it failed; empty if it did not. */
  readonly failure: string;
}

export function toWireModel(model: ModelDescription): WireModel {
  const { createdAtMs, scores, ...same } = model;
  return {
    ...same,
    state: modelStates.toWire(model.state),
    aliases: [...model.aliases],
    labels: [...model.labels],
    thresholds: [...model.thresholds],
    inputSpec: toWireInputSpec(model.inputSpec),
    scores: scores ?? undefined,
    createdAt: new Date(createdAtMs),
  };
}

export function fromWireModel(wire: WireModel): ModelDescription {
  const { createdAt, scores, ...same } = wire;
  return {
    ...same,
    state: modelStates.parse(wire.state) ?? 'stored',
    inputSpec: fromWireInputSpec(
      wire.inputSpec ?? { channels: [], widthPx: 0, heightPx: 0, resize: 0 },
    ),
    scores: scores ?? null,
    createdAtMs: createdAt?.getTime() ?? 0,
  };
}
