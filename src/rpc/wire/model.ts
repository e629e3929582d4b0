import { DomainError } from '../../errors.js';
import type { InputSpec } from '../../frames/index.js';
import type {
  ImportModelRequest,
  Gate as WireGate,
  Model as WireModel,
  Scores as WireScores,
} from '../../gen/cytostream/v1/model.js';
import type { Calibration, Scores, TrainingRecord } from '../../models/index.js';
import type { ModelDraft, PromotionGate } from '../collaborators.js';
import { gateMetrics, modelStates, resizes, type WireModelState } from './enums.js';
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
  /** null for an imported model. */
  readonly calibration: Calibration | null;
  /** null where it gives no distances. */
  readonly drift: { readonly threshold: number; readonly source: string } | null;
  /** Whether a frame may ask why it is answered as it is. */
  readonly explains: boolean;
  readonly inputSpec: InputSpec;
  /** null when it was never scored, as an imported model. */
  readonly scores: Scores | null;
  readonly createdAtMs: number;
  /** Empty for an imported model. */
  readonly runId: string;
  /** null for an imported model, and in lists. */
  readonly training: TrainingRecord | null;
  /** The version whose weights it began with, "cells@3"; empty for none. */
  readonly parent: string;
  readonly datasetFingerprint: string;
  /** SHA-256 of model.onnx, hexadecimal. */
  readonly sha256: string;
  /** Empty if not loaded. */
  readonly device: string;
  /** "full" or "half"; empty if not loaded. */
  readonly precision: string;
  /** Why it is in full precision although half was wanted; empty if there is nothing to say. */
  readonly precisionNote: string;
  /** Which raw planes are resized in the graph, and which are not and why; empty before any came. */
  readonly resizeNote: string;
  /** Why it failed; empty if it did not. */
  readonly failure: string;
}

export function toWireModel(model: ModelDescription): WireModel {
  const { createdAtMs, scores, calibration, drift, training, ...same } = model;
  return {
    ...same,
    distanceThreshold: drift?.threshold,
    distanceThresholdSource: drift?.source ?? '',
    state: modelStates.toWire(model.state),
    aliases: [...model.aliases],
    labels: [...model.labels],
    thresholds: [...model.thresholds],
    inputSpec: toWireInputSpec(model.inputSpec),
    scores: scores === null ? undefined : toWireScores(scores),
    calibration: calibration ?? undefined,
    training: training === null ? undefined : { ...training },
    createdAt: new Date(createdAtMs),
  };
}

export function fromWireModel(wire: WireModel): ModelDescription {
  const {
    createdAt,
    scores,
    calibration,
    training,
    distanceThreshold: threshold,
    distanceThresholdSource: source,
    ...same
  } = wire;
  return {
    ...same,
    drift: threshold === undefined ? null : { threshold, source },
    state: modelStates.parse(wire.state) ?? 'stored',
    inputSpec: fromWireInputSpec(wire.inputSpec),
    scores: scores === undefined ? null : fromWireScores(scores),
    calibration: calibration ?? null,
    training:
      training === undefined
        ? null
        : {
            spec: training['spec'] ?? {},
            history: training['history'] ?? [],
          },
    createdAtMs: createdAt?.getTime() ?? 0,
  };
}

function toWireScores(scores: Scores): WireScores {
  return {
    ...scores,
    macroF1Present: scores.macroF1Present ?? undefined,
    macroAveragePrecisionPresent: scores.macroAveragePrecisionPresent ?? undefined,
    atThresholds: scores.atThresholds ?? undefined,
  };
}

function fromWireScores(wire: WireScores): Scores {
  return {
    ...wire,
    macroF1Present: wire.macroF1Present ?? null,
    macroAveragePrecisionPresent: wire.macroAveragePrecisionPresent ?? null,
    atThresholds: wire.atThresholds ?? null,
  };
}

export function toWireGate({ dataPath, margin, metric }: PromotionGate): WireGate {
  return { dataPath, margin, metric: gateMetrics.toWire(metric) };
}

/** Throws `option_invalid` with every fault; where the dataset lies is not looked at. */
export function parseGate({ dataPath, margin, metric: number }: WireGate): PromotionGate {
  const faults: string[] = [];
  if (dataPath === '') faults.push('gate.data_path: expected a dataset, got none');
  if (!(margin >= 0 && margin <= 1)) faults.push(`gate.margin: expected 0 to 1, got ${margin}`);
  const metric = gateMetrics.parse(number);
  if (metric === null) faults.push(`gate.metric: expected 0 to 5, got ${number}`);
  if (faults.length > 0 || metric === null) {
    throw new DomainError('option_invalid', faults.join('; '));
  }
  return { dataPath, margin, metric };
}

/** Reads a model that was made elsewhere, every fault at once; the graph itself is not looked at. */
export function parseModelDraft(
  wire: ImportModelRequest,
): { readonly value: ModelDraft } | { readonly faults: readonly string[] } {
  const { name, onnx, labels, thresholds, scale, mean, std, logits } = wire;
  const faults: string[] = [];
  if (name === '') faults.push('name: expected one, got none');
  if (onnx.length === 0) faults.push('onnx: expected an ONNX ModelProto, got no bytes');
  if (labels.length === 0) faults.push('labels: expected at least one, got none');
  if (labels.some((label) => label === '')) faults.push('labels: expected no empty name');
  if (new Set(labels).size < labels.length) faults.push('labels: expected each name once');
  if (thresholds.length > 0 && thresholds.length !== labels.length) {
    faults.push(
      `thresholds: expected none or one per label (${labels.length}), got ${thresholds.length}`,
    );
  }
  if (thresholds.some((threshold) => !(threshold >= 0 && threshold <= 1))) {
    faults.push('thresholds: expected 0 to 1');
  }
  const spec = wire.inputSpec;
  if (spec === undefined) faults.push('input_spec: expected one, got none');
  const resize = resizes.parse(spec?.resize ?? 0);
  if (resize === null) faults.push(`input_spec.resize: expected 0 to 2, got ${spec?.resize}`);
  if (spec !== undefined) {
    if (spec.channels.length === 0) faults.push('input_spec.channels: expected at least one');
    if (new Set(spec.channels).size < spec.channels.length) {
      faults.push('input_spec.channels: expected each role once');
    }
  }
  if (faults.length > 0 || spec === undefined || resize === null) return { faults };
  return {
    value: {
      name,
      onnx,
      labels,
      inputSpec: fromWireInputSpec(spec),
      thresholds: thresholds.length > 0 ? thresholds : labels.map(() => 0.5),
      thresholdsSource: thresholds.length > 0 ? 'given at import' : 'default 0.5',
      scaling: {
        ...(scale === undefined ? {} : { scale }),
        ...(mean.length > 0 ? { mean } : {}),
        ...(std.length > 0 ? { std } : {}),
      },
      logits,
    },
  };
}
