import type { InputSpec as WireInputSpec } from '../../gen/cytostream/v1/model.js';
import type {
  EpochScores as WireEpochScores,
  Run as WireRun,
  RunEvent as WireRunEvent,
  RunSpec as WireRunSpec,
} from '../../gen/cytostream/v1/trainer.js';
import type {
  EpochScores,
  OpenRunSpec,
  Run,
  RunEvent,
  RunEventBody,
  RunSpec,
} from '../../training/index.js';
import {
  augmentations,
  type EnumTable,
  losses,
  optimisers,
  resizes,
  runStates,
  samplings,
  schedules,
  splits,
  trainingEngines,
} from './enums.js';
import { fromWireInputSpec } from './frame.js';

/** The fields of a spec that are words of a closed list. */
const specWords = {
  split: splits,
  loss: losses,
  sampling: samplings,
  augmentation: augmentations,
  engine: trainingEngines,
  schedule: schedules,
  optimiser: optimisers,
};

/**
 * A RunSpec as a caller gives it: what is absent or empty on the wire is left out, so that
 * the one parser of specs, in the training room, fills the defaults and lists the faults. A
 * number that is there is given, 0 too: `seed` 0 is a seed of its own.
 */
export function fromWireRunSpec(wire: WireRunSpec): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(wire)) {
    if (value === '' || value === undefined || field in specWords) continue;
    if (!Array.isArray(value) || value.length > 0) given[field] = value;
  }
  if (wire.inputSpec) given['inputSpec'] = fromWireOpenInput(wire.inputSpec);
  // An unknown number stays as it is: the parser names it among the faults.
  for (const [field, table] of Object.entries(specWords)) {
    const number = wire[field as keyof typeof specWords];
    if (number !== 0) given[field] = table.parse(number) ?? number;
  }
  return given;
}

function fromWireOpenInput({ channels, widthPx, heightPx, resize }: WireInputSpec) {
  return {
    ...(channels.length > 0 ? { channels } : {}),
    ...(widthPx > 0 ? { widthPx } : {}),
    ...(heightPx > 0 ? { heightPx } : {}),
    ...(resize === 0 ? {} : { resize: resizes.parse(resize) ?? resize }),
  };
}

export function toWireRunSpec(spec: Partial<OpenRunSpec>): WireRunSpec {
  return {
    dataPath: spec.dataPath ?? '',
    model: spec.model ?? '',
    network: spec.network ?? '',
    epochs: spec.epochs,
    batchSize: spec.batchSize,
    share: spec.share,
    trainingPart: spec.trainingPart,
    heldOut: spec.heldOut,
    split: numberOf(splits, spec.split),
    seed: spec.seed,
    learningRate: spec.learningRate,
    patience: spec.patience,
    promote: spec.promote ?? false,
    loss: numberOf(losses, spec.loss),
    focalGamma: spec.focalGamma,
    maxPositiveWeight: spec.maxPositiveWeight,
    sampling: numberOf(samplings, spec.sampling),
    schedule: numberOf(schedules, spec.schedule),
    warmUp: spec.warmUp,
    optimiser: numberOf(optimisers, spec.optimiser),
    weightDecay: spec.weightDecay,
    clipNorm: spec.clipNorm,
    emaDecay: spec.emaDecay,
    parent: spec.parent ?? '',
    freeze: [...(spec.freeze ?? [])],
    augmentation: numberOf(augmentations, spec.augmentation),
    engine: numberOf(trainingEngines, spec.engine),
    inputSpec: spec.inputSpec && toWireOpenInput(spec.inputSpec),
    labels: [...(spec.labels ?? [])],
  };
}

function toWireOpenInput(input: OpenRunSpec['inputSpec']): WireInputSpec {
  return {
    channels: [...(input.channels ?? [])],
    widthPx: input.widthPx ?? 0,
    heightPx: input.heightPx ?? 0,
    resize: numberOf(resizes, input.resize),
  };
}

/** 0 where nothing is given. */
function numberOf<Word extends string>(words: EnumTable<Word>, word: Word | undefined): number {
  return word === undefined ? 0 : words.toWire(word);
}

export function toWireRun(run: Run): WireRun {
  return {
    runId: run.id,
    spec: toWireRunSpec(run.spec),
    state: runStates.toWire(run.state),
    failure: run.failure,
    startedAt: new Date(run.startedAtMs),
    endedAt: run.endedAtMs === null ? undefined : new Date(run.endedAtMs),
    publishedVersion: run.publishedVersion ?? 0,
    resumable: run.resumable,
    device: run.device,
    deviceNote: run.deviceNote,
    history: run.history.map(toWireEpoch),
  };
}

export function fromWireRun(wire: WireRun): Run {
  return {
    id: wire.runId,
    spec: fromFullRunSpec(wire.spec),
    state: runStates.parse(wire.state) ?? 'failed',
    failure: wire.failure,
    startedAtMs: wire.startedAt?.getTime() ?? 0,
    endedAtMs: wire.endedAt?.getTime() ?? null,
    publishedVersion: wire.publishedVersion === 0 ? null : wire.publishedVersion,
    resumable: wire.resumable,
    device: wire.device,
    deviceNote: wire.deviceNote,
    history: wire.history.map(fromWireEpoch),
  };
}

export function toWireRunEvent(event: RunEvent): WireRunEvent {
  return {
    number: event.number,
    runId: event.runId,
    at: new Date(event.atMs),
    event: toWireBody(event),
  };
}

export function fromWireRunEvent(wire: WireRunEvent): RunEvent {
  return {
    ...fromWireBody(wire.event),
    number: wire.number,
    runId: wire.runId,
    atMs: wire.at?.getTime() ?? 0,
  };
}

function toWireBody(event: RunEventBody): NonNullable<WireRunEvent['event']> {
  switch (event.kind) {
    case 'started': {
      const { spec, parameterCount, trainingFrames, validationFrames, stepsDone } = event;
      const { device, deviceNote, movedFrames, isParentUnknown } = event;
      const size = { parameterCount, trainingFrames, validationFrames };
      const parent = { movedFrames, isParentUnknown };
      const where = { stepsDone, device, deviceNote };
      const value = { ...size, ...where, ...parent, spec: toWireRunSpec(spec) };
      return { $case: 'started', value };
    }
    case 'framesLoaded':
      return { $case: 'framesLoaded', value: { loaded: event.loaded, total: event.total } };
    case 'step': {
      const { epoch, step, stepsInEpoch, loss, framesPerSecond } = event;
      return { $case: 'step', value: { epoch, step, stepsInEpoch, loss, framesPerSecond } };
    }
    case 'epoch':
      return { $case: 'epoch', value: toWireEpoch(event) };
    case 'published':
      return { $case: 'published', value: { model: event.model, version: event.version } };
    case 'resumed':
      return { $case: 'resumed', value: {} };
    case 'ended': {
      const value = { state: runStates.toWire(event.state), reason: event.reason };
      return { $case: 'ended', value };
    }
  }
}

function fromWireBody(wire: WireRunEvent['event']): RunEventBody {
  switch (wire?.$case) {
    case 'started':
      return { kind: 'started', ...wire.value, spec: fromFullRunSpec(wire.value.spec) };
    case 'framesLoaded':
    case 'step':
    case 'published':
    case 'resumed':
      // The fields of these four are the same on both sides.
      return { kind: wire.$case, ...wire.value } as RunEventBody;
    case 'epoch':
      return { kind: 'epoch', ...fromWireEpoch(wire.value) };
    case 'ended': {
      const state = runStates.parse(wire.value.state);
      const ended = state === null || state === 'running' ? 'failed' : state;
      return { kind: 'ended', state: ended, reason: wire.value.reason };
    }
    default:
      return { kind: 'ended', state: 'failed', reason: 'an event this client does not know' };
  }
}

function toWireEpoch(scores: EpochScores): WireEpochScores {
  return {
    epoch: scores.epoch,
    trainingLoss: scores.trainingLoss,
    trainingAccuracy: scores.trainingAccuracy,
    trainingMacroF1Present: defined(scores.trainingMacroF1Present),
    trainingMacroAveragePrecisionPresent: defined(scores.trainingMacroAveragePrecisionPresent),
    validationLoss: scores.validationLoss,
    validationAccuracy: scores.validationAccuracy,
    validationMacroF1Present: defined(scores.validationMacroF1Present),
    validationMacroAveragePrecisionPresent: defined(scores.validationMacroAveragePrecisionPresent),
    validationMacroF1: scores.validationMacroF1,
    alwaysNoAccuracy: scores.alwaysNoAccuracy,
    seconds: scores.seconds,
    best: scores.best,
  };
}

function fromWireEpoch(wire: WireEpochScores): EpochScores {
  return {
    ...wire,
    trainingMacroF1Present: wire.trainingMacroF1Present ?? Number.NaN,
    trainingMacroAveragePrecisionPresent: wire.trainingMacroAveragePrecisionPresent ?? Number.NaN,
    validationMacroF1Present: wire.validationMacroF1Present ?? Number.NaN,
    validationMacroAveragePrecisionPresent:
      wire.validationMacroAveragePrecisionPresent ?? Number.NaN,
  };
}

/** A score that is none is absent on the wire. */
const defined = (value: number): number | undefined => (Number.isNaN(value) ? undefined : value);

/** A spec that the server sent: complete, so nothing needs a default. */
function fromFullRunSpec(wire: WireRunSpec | undefined): RunSpec {
  return {
    dataPath: wire?.dataPath ?? '',
    model: wire?.model ?? '',
    network: wire?.network ?? '',
    epochs: wire?.epochs ?? 0,
    batchSize: wire?.batchSize ?? 0,
    share: wire?.share ?? 0,
    trainingPart: wire?.trainingPart ?? 0,
    heldOut: wire?.heldOut ?? 0,
    split: splits.parse(wire?.split ?? 0) ?? 'auto',
    seed: wire?.seed ?? 0,
    learningRate: wire?.learningRate ?? 0,
    patience: wire?.patience ?? 0,
    promote: wire?.promote ?? false,
    loss: losses.parse(wire?.loss ?? 0) ?? 'bce',
    focalGamma: wire?.focalGamma ?? 0,
    maxPositiveWeight: wire?.maxPositiveWeight ?? 0,
    sampling: samplings.parse(wire?.sampling ?? 0) ?? 'shuffled',
    schedule: schedules.parse(wire?.schedule ?? 0) ?? 'decay',
    warmUp: wire?.warmUp ?? 0,
    optimiser: optimisers.parse(wire?.optimiser ?? 0) ?? 'adam',
    weightDecay: wire?.weightDecay ?? 0,
    clipNorm: wire?.clipNorm ?? 0,
    emaDecay: wire?.emaDecay ?? 0,
    parent: wire?.parent ?? '',
    freeze: wire?.freeze ?? [],
    augmentation: augmentations.parse(wire?.augmentation ?? 0) ?? 'none',
    engine: trainingEngines.parse(wire?.engine ?? 0) ?? 'onnxruntime',
    inputSpec: fromWireInputSpec(wire?.inputSpec),
    labels: wire?.labels ?? [],
  };
}
