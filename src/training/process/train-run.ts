import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import {
  type Dataset,
  type DatasetFrame,
  type DatasetSplit,
  frameKeys,
  openDataset,
} from '../../dataset/index.js';
import { DomainError } from '../../errors.js';
import { writeDurably } from '../../files/index.js';
import { createPreparer, type InputSpec } from '../../frames/index.js';
import {
  atTemperature,
  countParameters,
  initialiseParameters,
  type Parameters,
  readParameters,
} from '../../graph/index.js';
import type { SeenFrames } from '../../models/index.js';
import { writeCheckpoint } from '../checkpoint.js';
import { createNetwork } from '../networks/index.js';
import { readParentFrames, runFiles } from '../run-folder.js';
import { shapeOf, withoutHead } from '../run-network.js';
import { readRunFolder } from '../run-store.js';
import { createStepRunner } from '../step-runner.js';
import { createBatchLoader } from './batch-loader.js';
import { decide } from './decide.js';
import { exportModel } from './export-model.js';
import { createFrameCache } from './frame-cache.js';
import { type FrameSet, framesOf, targetsOf } from './frame-set.js';
import {
  assertSameFrames,
  type CheckpointKeeper,
  createCheckpointKeeper,
  readKeptLearning,
} from './keep-checkpoint.js';
import { type Learned, learn } from './learn.js';
import { loadFrames } from './load-frames.js';
import { exportFiles, type Outcome, type ProcessEvent, type ProcessOptions } from './messages.js';
import { openStep } from './open-step.js';
import { lossOf } from './run-loss.js';
import { splitAfterParent } from './split-after-parent.js';

export interface TrainRunCollaborators {
  tell(event: ProcessEvent): void;
  /** Notes what went wrong beside the run, for the operator. */
  warn(message: string, thrown: unknown): void;
  isStopRequested(): boolean;
  /** Rests between two steps, after one of so many milliseconds. */
  rest(stepMs: number): Promise<void>;
}

/** `framesLoaded` is told at most so often, and at the end. */
const loadedIntervalMs = 200;

/**
 * A training from its folder to an exported model:
 *
 * 1. read the spec, open the dataset, split it by what a published version that it begins with
 *    has seen
 * 2. build the network and its training step, load it on the device, and tell how large
 *    the one is and where the other runs
 * 3. load the frames, once
 * 4. learn, from weights of the seed, those of a published
 *    version or the checkpoint that an earlier process left; keep a checkpoint of it
 * 5. draw the curves
 * 6. keep the best weights, choose temperature and thresholds, check and write the served form,
 *    and which frames took which part
 * 7. draw validation frames with their true and predicted labels
 *
 * The checkpoint stays until the version is published, which is the parent's to do; a
 * run that diverged leaves none. Throws `dataset_invalid`, `option_invalid`, `unsupported` for
 * a device that does not start, `storage_failed`, `checkpoint_corrupt`, `model_failed` for a
 * parent's list of frames that is none.
 */
export async function trainRun(
  {
    folder,
    devices,
    stepsPerCall,
    tensorflowPackage,
    threads,
    checkpointEveryMs,
    frameCache,
    resumed,
    parent,
  }: ProcessOptions,
  collaborators: TrainRunCollaborators,
): Promise<Outcome> {
  const { tell, warn, isStopRequested, rest } = collaborators;
  const { spec } = await readRunFolder(folder);
  const { inputSpec, labels } = spec;
  const { channels } = inputSpec;
  const dataset = await openDataset(spec.dataPath, { channels, labels });
  // Also where a checkpoint is taken up: the list lies in the folder for as long.
  const seenByParent = await readParentFrames(folder);
  const { split, movedFrames } = await splitAfterParent(dataset, spec, {
    ref: spec.parent,
    seen: seenByParent,
  });

  const shape = shapeOf(spec);
  const network = createNetwork(spec.network, shape);
  const kept = resumed ? await readKeptLearning(folder) : null;
  // Of the labels alone: where it runs is told before the frames are loaded.
  const loss = lossOf(spec, {
    targets: targetsOf(split.training, labels.length),
    labelCount: labels.length,
  });
  const opened = await openStep({
    ...{ spec, network, loss, devices, stepsPerCall, tensorflowPackage, threads },
  });
  const { device } = opened;
  let closeFrames = () => {};
  try {
    // What the step takes goes back before the export.
    const done = await loadAndLearn().finally(() => opened.runner.close());
    if (done === null) return stoppedEarly('stopped on request while frames were loaded');
    return await finish(done);
  } finally {
    closeFrames();
  }

  /** From what was learned on, to the end. */
  async function finish({
    training,
    validation,
    fingerprint,
    seen,
    keeper,
    learned,
  }: NonNullable<Awaited<ReturnType<typeof loadAndLearn>>>): Promise<Outcome> {
    if (learned.history.length > 0) {
      await pictures('curves', async () => {
        const { drawCurves } = await import('./curves.js');
        await drawCurves(folder, learned.history);
      });
    }
    const { state, reason, best } = learned;
    if (state === 'failed') {
      // It would come to the same end again.
      await keeper.discard();
      return { state, reason, exported: null };
    }
    if (best === null) return stoppedEarly(reason);

    const { parameters } = best;
    const { epoch } = best.scores;
    const step = epoch * Math.ceil(training.frames.length / spec.batchSize);
    const weights = { spec, epoch, step, state: parameters, progress: null };
    await writeCheckpoint(join(folder, runFiles.best), weights);
    const { probabilities, atThresholds, ...decision } = decide(
      best.probabilities,
      validation,
      labels,
    );
    const served = atTemperature(network, parameters, decision.calibration.temperature);
    const exported = await exportModel(
      { network, parameters: served, training, validation, folder },
      { threads, device },
    );
    await writeDurably(join(folder, exportFiles.frames), [Buffer.from(JSON.stringify(seen))]);
    await pictures('sheet of validation frames', async () => {
      const { drawSamples } = await import('./sample-sheet.js');
      await drawSamples(folder, {
        ...{ dataset, validation, probabilities },
        thresholds: decision.thresholds,
      });
    });
    return {
      state,
      reason,
      exported: {
        scores: {
          frameCount: validation.frames.length,
          loss: best.scores.validationLoss,
          binaryAccuracy: best.scores.validationAccuracy,
          alwaysNoAccuracy: best.scores.alwaysNoAccuracy,
          macroF1: best.scores.validationMacroF1,
          macroF1Present: orNull(best.scores.validationMacroF1Present),
          macroAveragePrecisionPresent: orNull(best.scores.validationMacroAveragePrecisionPresent),
          atThresholds,
        },
        ...decision,
        datasetFingerprint: fingerprint,
        ...exported,
      },
    };
  }

  /** A run without its pictures is still a run. They are loaded late: they start slowly. */
  async function pictures(what: string, draw: () => Promise<void>): Promise<void> {
    await draw().catch((thrown: unknown) => warn(`no ${what}`, thrown));
  }

  async function initialWeights(): Promise<Parameters> {
    const drawn = initialiseParameters(network, spec.seed);
    if (parent === null) return drawn;
    const model = await readFile(join(folder, runFiles.parent));
    // Of other labels nothing is known yet.
    if (!parent.givesHead)
      return new Map([...drawn, ...readParameters(model, withoutHead(network))]);
    const served = readParameters(model, network);
    // Back to the logits that its training had: what it serves is divided by a temperature.
    const { temperature } = parent;
    return temperature === 1 ? served : atTemperature(network, served, 1 / temperature);
  }

  /** Null where a stop was requested before the first step. */
  async function loadAndLearn() {
    tell({
      kind: 'started',
      spec,
      parameterCount: countParameters(network),
      trainingFrames: split.training.length,
      validationFrames: split.validation.length,
      stepsDone: kept?.step ?? 0,
      device: opened.runner.device,
      deviceNote: opened.note,
      movedFrames,
      isParentUnknown: spec.parent !== '' && (seenByParent?.isParentUnknown ?? true),
    });
    // What was kept before it could be told.
    for (const scores of kept?.progress.history.slice(resumed?.epochsTold ?? 0) ?? []) {
      tell({ kind: 'epoch', ...scores });
    }
    const sets = await loadBoth({ folder, dataset, split, inputSpec, frameCache }, collaborators);
    if (sets === null) return null;
    closeFrames = () => sets.training.source.close();
    if (kept) assertSameFrames(kept, sets.fingerprint);
    const keeper = createCheckpointKeeper({
      ...{ folder, everyMs: checkpointEveryMs, spec },
      datasetFingerprint: sets.fingerprint,
    });
    const seen = await seenBy(dataset, split);
    return { ...sets, seen, keeper, learned: await runLearning(sets, keeper) };
  }

  async function runLearning(
    { training, validation }: { readonly training: FrameSet; readonly validation: FrameSet },
    keeper: CheckpointKeeper,
  ): Promise<Learned> {
    const { step, stepsPerCall, runner: graphRunner } = opened;
    const loader = createBatchLoader({ set: training, size: shape, spec, stepsPerCall });
    try {
      const state = kept?.state ?? (await initialWeights());
      const runner = createStepRunner(
        { step, state, seed: spec.seed, stepsDone: kept?.step ?? 0, stepsPerCall },
        { runner: graphRunner },
      );
      return await learn(
        { spec, network, labels, loss, training, validation, threads, device, from: kept },
        {
          ...{ runner, loader, tell, rest, isStopRequested, isSaveDue: keeper.isSaveDue },
          save: (now) => keeper.save(now, runner),
        },
      );
    } finally {
      await loader.close();
    }
  }
}

/** null for NaN, which JSON has no word for. */
const orNull = (value: number): number | null => (Number.isNaN(value) ? null : value);
/** Which frames take which part; what a version that it begins with has met comes on top. */
async function seenBy(
  dataset: Dataset,
  { training, validation, heldOut }: DatasetSplit,
): Promise<SeenFrames> {
  return {
    training: await frameKeys(dataset, training),
    validation: await frameKeys(dataset, validation),
    heldOut: await frameKeys(dataset, heldOut),
    isParentUnknown: false,
  };
}

function stoppedEarly(reason: string): Outcome {
  return {
    state: 'stopped',
    reason: `${reason}; no epoch was finished, nothing is published`,
    exported: null,
  };
}

async function loadBoth(
  {
    folder,
    dataset,
    split,
    inputSpec,
    frameCache,
  }: {
    readonly folder: string;
    readonly dataset: Awaited<ReturnType<typeof openDataset>>;
    readonly split: DatasetSplit;
    readonly inputSpec: InputSpec;
    readonly frameCache: ProcessOptions['frameCache'];
  },
  { tell, warn, isStopRequested }: TrainRunCollaborators,
) {
  // Nothing else goes on yet: decoding takes every core.
  const threads = availableParallelism();
  const preparer = createPreparer({ threads });
  // In the order of the file, whatever the split: runs of other seeds find the same entry.
  const isUsed = new Set([...split.training, ...split.validation]);
  const frames = dataset.frames.filter((frame) => isUsed.has(frame));
  let toldAtMs = performance.now();
  try {
    const all = await loadFrames(
      { dataset, frames, inputSpec, inFlight: 2 * threads },
      {
        ...{ preparer, warn, isStopRequested },
        places: { cache: createFrameCache(frameCache, { warn }), runFolder: folder },
      },
      (loaded) => {
        const nowMs = performance.now();
        if (loaded < frames.length && nowMs - toldAtMs < loadedIntervalMs) return;
        toldAtMs = nowMs;
        tell({ kind: 'framesLoaded', loaded, total: frames.length });
      },
    );
    if (all === null) return null;
    const rowOf = new Map(frames.map((frame, row) => [frame, row]));
    const part = (some: readonly DatasetFrame[]) =>
      framesOf(
        all,
        some.map((frame) => rowOf.get(frame) ?? -1),
      );
    const { fingerprint } = all;
    return { training: part(split.training), validation: part(split.validation), fingerprint };
  } catch (thrown) {
    throw DomainError.from(thrown);
  } finally {
    await preparer.close();
  }
}
