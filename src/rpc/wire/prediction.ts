import type { Priority } from '../../batching/index.js';
import type { Explanation, Outcome, Timings } from '../../classify/index.js';
import type { InputSpec, QualityFlag } from '../../frames/index.js';
import type {
  Prediction as WirePrediction,
  StreamModel as WireStreamModel,
  StreamOptions as WireStreamOptions,
} from '../../gen/cytostream/v1/classifier.js';
import {
  type Delivery,
  deliveries,
  type Overflow,
  outcomes,
  overflows,
  priorities,
  qualityFlags,
} from './enums.js';
import { fromWireExplanation, toWireExplanation } from './explanation.js';
import { fromWireInputSpec, toWireInputSpec } from './frame.js';
import { toMicroseconds } from './microseconds.js';

/** How a stream wants to be served. */
export interface StreamOptions {
  /** "name", "name@3", "name@candidate"; empty: the only model that the server holds. */
  readonly model: string;
  readonly delivery: Delivery;
  readonly overflow: Overflow;
  /** Milliseconds from receipt; 0 means none. */
  readonly defaultDeadlineMs: number;
  readonly priority: Priority;
  /** 0: the server's limit. */
  readonly maxInFlight: number;
}

/** What a stream gets that opens with a frame. */
export const defaultStreamOptions: StreamOptions = Object.freeze({
  model: '',
  delivery: 'asCompleted',
  overflow: 'block',
  defaultDeadlineMs: 0,
  priority: 'normal',
  maxInFlight: 0,
});

/** The version that answers a stream: what is needed to read its predictions. */
export interface StreamModel {
  readonly name: string;
  readonly version: number;
  readonly labels: readonly string[];
  readonly thresholds: readonly number[];
  /** Beyond it a frame is unlike the training's; absent where the version gives no distances. */
  readonly distanceThreshold?: number | undefined;
  readonly inputSpec: InputSpec;
  /** "onnxruntime/cpu". */
  readonly device: string;
  /** "full" or "half". */
  readonly precision: string;
  /** Frames without an answer that the stream may have; 0 outside a stream. */
  readonly maxInFlight: number;
}

/** The answer to one Frame, as it goes over the wire. */
export interface Answer {
  readonly frameId: string;
  readonly outcome: Outcome;
  /** Empty when ok; else what was expected and what came. */
  readonly message: string;
  /** One per label, 0..1; none unless ok. */
  readonly probabilities: ArrayLike<number> & Iterable<number>;
  readonly labelIndices: readonly number[];
  /** How far the frame is from the training set; absent where the version does not say. */
  readonly distance?: number | undefined;
  /** Where it was asked for. */
  readonly explanation?: Explanation | undefined;
  /** 0 when no version was asked. */
  readonly version: number;
  readonly batchSize: number;
  readonly qualityFlags: readonly QualityFlag[];
  readonly timings: Timings;
}

/** Reads the options of a stream, every fault at once. */
export function parseStreamOptions(
  wire: WireStreamOptions,
): { readonly value: StreamOptions } | { readonly faults: readonly string[] } {
  const faults: string[] = [];
  const delivery = deliveries.parse(wire.delivery);
  if (delivery === null) faults.push(`delivery: expected 0 to 2, got ${wire.delivery}`);
  const overflow = overflows.parse(wire.overflow);
  if (overflow === null) faults.push(`overflow: expected 0 to 3, got ${wire.overflow}`);
  const priority = parsePriority(wire.priority, faults);
  if (wire.model.length > 256) {
    faults.push(`model: expected at most 256 characters, got ${wire.model.length}`);
  }
  if (delivery === null || overflow === null || faults.length > 0) return { faults };
  const { model, defaultDeadlineMs, maxInFlight } = wire;
  return { value: { model, delivery, overflow, defaultDeadlineMs, priority, maxInFlight } };
}

/** A fault, if there is one, is added to the list. */
export function parsePriority(number: number, faults: string[]): Priority {
  const priority = priorities.parse(number);
  if (priority === null) faults.push(`priority: expected 0 to 3, got ${number}`);
  return priority ?? 'normal';
}

export function toWirePriority(priority: Priority): number {
  return priorities.toWire(priority);
}

export function toWireStreamOptions(options: Partial<StreamOptions>): WireStreamOptions {
  const full = { ...defaultStreamOptions, ...options };
  return {
    model: full.model,
    delivery: deliveries.toWire(full.delivery),
    overflow: overflows.toWire(full.overflow),
    defaultDeadlineMs: full.defaultDeadlineMs,
    priority: priorities.toWire(full.priority),
    maxInFlight: full.maxInFlight,
  };
}

export function toWireStreamModel(model: StreamModel): WireStreamModel {
  return {
    name: model.name,
    version: model.version,
    labels: [...model.labels],
    thresholds: [...model.thresholds],
    distanceThreshold: model.distanceThreshold,
    inputSpec: toWireInputSpec(model.inputSpec),
    device: model.device,
    precision: model.precision,
    maxInFlight: model.maxInFlight,
  };
}

export function fromWireStreamModel(wire: WireStreamModel): StreamModel {
  return {
    ...wire,
    inputSpec: fromWireInputSpec(wire.inputSpec),
  };
}

export function toWirePrediction(answer: Answer): WirePrediction {
  const { timings } = answer;
  return {
    frameId: answer.frameId,
    outcome: outcomes.toWire(answer.outcome),
    message: answer.message,
    probabilities: toNumbers(answer.probabilities),
    labelIndices: [...answer.labelIndices],
    distance: answer.distance,
    explanation: answer.explanation && toWireExplanation(answer.explanation),
    modelVersion: answer.version,
    batchSize: answer.batchSize,
    qualityFlags: answer.qualityFlags.map(qualityFlags.toWire),
    timings: {
      receiveUs: toMicroseconds(timings.receiveMs),
      prepareUs: toMicroseconds(timings.prepareMs),
      queueUs: toMicroseconds(timings.queueMs),
      runUs: toMicroseconds(timings.runMs),
      totalUs: toMicroseconds(timings.totalMs),
    },
  };
}

/** The generated encoder asks for number[]; `Array.from` goes through an iterator, for every frame. */
function toNumbers(values: ArrayLike<number>): number[] {
  const numbers: number[] = [];
  for (let at = 0; at < values.length; at += 1) numbers.push(values[at] ?? 0);
  return numbers;
}

export function fromWirePrediction(wire: WirePrediction): Answer {
  const timings = wire.timings;
  return {
    frameId: wire.frameId,
    // A server newer than this client may know outcomes that the client does not.
    outcome: outcomes.parse(wire.outcome) ?? 'failed',
    message: wire.message,
    probabilities: Float32Array.from(wire.probabilities),
    labelIndices: wire.labelIndices,
    distance: wire.distance,
    explanation: wire.explanation && fromWireExplanation(wire.explanation),
    version: wire.modelVersion,
    batchSize: wire.batchSize,
    qualityFlags: wire.qualityFlags.flatMap((number) => qualityFlags.parse(number) ?? []),
    timings: {
      receiveMs: (timings?.receiveUs ?? 0) / 1000,
      prepareMs: (timings?.prepareUs ?? 0) / 1000,
      queueMs: (timings?.queueUs ?? 0) / 1000,
      runMs: (timings?.runUs ?? 0) / 1000,
      totalMs: (timings?.totalUs ?? 0) / 1000,
    },
  };
}
