import type { DeviceName } from '../../engines/index.js';
import { type Report, score } from '../../evaluation/index.js';
import { buildInference, type Loss, type Network, type Parameters } from '../../graph/index.js';
import type { LabelSet } from '../../label-set.js';
import {
  type BestWeights,
  type EpochPart,
  type LearningTensors,
  newPart,
  type Progress,
} from '../progress.js';
import type { EpochScores, RunSpec } from '../run.js';
import type { StepBatch, StepRunner } from '../step-runner.js';
import type { BatchLoader } from './batch-loader.js';
import { createEarlyStopping } from './early-stopping.js';
import { createFrameOrder } from './frame-order.js';
import { type FrameSet, pickTargets } from './frame-set.js';
import { learningRateAfter } from './learning-rate.js';
import type { ProcessEvent } from './messages.js';
import { meanLoss } from './run-loss.js';
import { defaultThreshold, validate } from './validate.js';

export interface LearnOptions {
  readonly spec: RunSpec;
  readonly network: Network;
  readonly labels: LabelSet;
  /** What the runner's steps make small. */
  readonly loss: Loss;
  readonly training: FrameSet;
  readonly validation: FrameSet;
  /** Of the runtime; 0 is one a core. */
  readonly threads: number;
  /** Where the validation runs: what trains it scores it. */
  readonly device: DeviceName;
  /** Where it goes on from, the runner being at the same step; null at a start. */
  readonly from: LearningState | null;
}

/** Where a learning stands, beside the runner's state. */
export interface LearningState extends Omit<LearningTensors, 'state'> {
  readonly progress: Omit<Progress, 'datasetFingerprint'>;
}

export interface LearnCollaborators {
  readonly runner: StepRunner;
  /** Of the training part. */
  readonly loader: BatchLoader;
  tell(event: ProcessEvent): void;
  /**
   * Keeps all that the rest follows from; the runner's part and the answers are overwritten
   * once it resolves.
   */
  save(now: LearningState): Promise<void>;
  /** Whether a step within an epoch should be kept; the end of an epoch always is. */
  isSaveDue(): boolean;
  /** Rests between two calls of steps, after one of so many milliseconds; messages are heard meanwhile. */
  rest(stepMs: number): Promise<void>;
  isStopRequested(): boolean;
}

/** The epoch of the lowest validation loss. */
export interface BestEpoch extends BestWeights {
  readonly scores: EpochScores;
}

/** How the learning came out. */
export interface Learned {
  readonly state: 'finished' | 'stopped' | 'failed';
  readonly reason: string;
  readonly history: readonly EpochScores[];
  /** null where no epoch was finished. */
  readonly best: BestEpoch | null;
}

/**
 * Trains epoch by epoch: the frames in an order of the seed, the last batch as small
 * as it comes; then the validation part is scored with the weights as they would
 * be served. The weights of the lowest validation loss are returned; they and all else
 * are handed to `save`, from where a later call goes on to the same end, bit for bit.
 *
 * The training part is scored by the answers that its steps gave anyway: while the weights
 * change, with dropout and to frames as they are varied, as Keras shows its loss. The
 * validation part is scored with the weights as they are after the epoch.
 *
 * Ends after the last epoch, after `patience` epochs without a lower validation loss,
 * after the call of steps during which a stop was requested, or at a loss that is not a number:
 * all of these are results. Throws what a collaborator throws.
 */
export async function learn(
  options: LearnOptions,
  collaborators: LearnCollaborators,
): Promise<Learned> {
  const { spec, network, labels, loss, validation, threads, device, from } = options;
  const { runner, tell, save, isStopRequested } = collaborators;
  const stopping = createEarlyStopping(spec.patience);
  const order = createFrameOrder(spec, options.training);
  const history = [...(from?.progress.history ?? [])];
  let best = from?.best ?? null;
  let part = from?.progress.part ?? newPart;
  let answered = from?.answered ?? noAnswers;
  let isOver = false;
  for (const { validationLoss } of history) isOver = stopping.observe(validationLoss).isOver;

  for (;;) {
    const done = history.length;
    if (done === spec.epochs) {
      return end('finished', `finished ${done} ${done === 1 ? 'epoch' : 'epochs'}`);
    }
    if (isOver) {
      return end(
        'finished',
        `stopped early after epoch ${done}: no lower validation loss than epoch ${stopping.bestEpoch}'s for ${spec.patience} epochs`,
      );
    }
    if (done > 0 && isStopRequested()) {
      return end('stopped', `stopped on request after epoch ${done}`);
    }
    const epoch = done + 1;
    const startedAtMs = performance.now();
    const rows = order(epoch);
    const trained = await trainEpoch({ epoch, order: rows, from: part, answered }, options, {
      ...collaborators,
      savePart: (now, answered) => save({ progress: { history, part: now }, best, answered }),
    });
    if ('diverged' in trained) return end('failed', trained.diverged);
    if ('stoppedAtStep' in trained) {
      return end('stopped', `stopped on request at step ${trained.stoppedAtStep}`);
    }
    const parameters = runner.parameters();
    const model = buildInference(network, parameters);
    const { probabilities, report } = await validate(
      { model, set: validation, labels },
      { threads, device, shape: network.inputShape },
    );
    if (report === null) {
      return end('failed', `validation loss is NaN after epoch ${epoch}`);
    }
    const validationLoss =
      loss.kind === 'bce'
        ? report.meanBinaryCrossEntropy
        : meanLoss(loss, probabilities, validation);
    const observed = stopping.observe(validationLoss);
    isOver = observed.isOver;
    const trainingReport = scoreAnswered(trained.answered, rows, options);
    const scores: EpochScores = {
      epoch,
      trainingLoss: trained.part.lossSum / rows.length,
      trainingAccuracy: trainingReport.binaryAccuracy,
      trainingMacroF1Present: trainingReport.macroF1Present,
      trainingMacroAveragePrecisionPresent: trainingReport.macroAveragePrecisionPresent,
      validationLoss,
      validationAccuracy: report.binaryAccuracy,
      validationMacroF1Present: report.macroF1Present,
      validationMacroAveragePrecisionPresent: report.macroAveragePrecisionPresent,
      validationMacroF1: report.macroF1,
      alwaysNoAccuracy: report.alwaysNoAccuracy,
      seconds: part.seconds + (performance.now() - startedAtMs) / 1000,
      best: observed.isBest,
    };
    history.push(scores);
    if (scores.best) best = { parameters: copyOf(parameters), probabilities };
    part = newPart;
    answered = noAnswers;
    await save({ progress: { history, part }, best, answered });
    // Told only once the weights are safe: who reads "best" may rely on them.
    tell({ kind: 'epoch', ...scores });
  }

  function end(state: Learned['state'], reason: string): Learned {
    const scores = history.findLast((epoch) => epoch.best);
    return { state, reason, history, best: best && scores ? { ...best, scores } : null };
  }
}

const noAnswers = new Float32Array(0);

/** The whole epoch, and what was answered to its last frames: see `LearningTensors`. */
type TrainedEpoch =
  | { readonly part: EpochPart; readonly answered: Float32Array }
  | { readonly diverged: string }
  | { readonly stoppedAtStep: number };

async function trainEpoch(
  {
    epoch,
    order,
    from,
    answered,
  }: {
    readonly epoch: number;
    readonly order: readonly number[];
    readonly from: EpochPart;
    readonly answered: Float32Array;
  },
  { spec, training }: LearnOptions,
  {
    runner,
    loader,
    tell,
    isStopRequested,
    isSaveDue,
    rest,
    savePart,
  }: LearnCollaborators & {
    readonly savePart: (part: EpochPart, answered: Float32Array) => Promise<void>;
  },
): Promise<TrainedEpoch> {
  const { labelCount } = training;
  const stepsInEpoch = Math.ceil(order.length / spec.batchSize);
  const rate = { ...spec, totalSteps: stepsInEpoch * spec.epochs };
  const startedAtMs = performance.now();
  let part = from;
  const answers = new Float32Array(order.length * labelCount);
  const firstAnswer = from.frames * labelCount - answered.length;
  answers.set(answered, firstAnswer);
  for await (const batches of gather(
    loader.epoch(epoch, order, part.frames),
    runner.stepsPerCall,
  )) {
    const stepsBefore = runner.step;
    const callStartedAtMs = performance.now();
    const results = await runner.runAll(
      batches.map((batch, index) => ({
        batch,
        learningRate: learningRateAfter(stepsBefore + index, rate),
      })),
    );
    const callMs = performance.now() - callStartedAtMs;
    for (const [index, { loss, probabilities }] of results.entries()) {
      const { frameCount } = batches[index]!;
      if (!Number.isFinite(loss)) {
        return { diverged: `loss is ${loss} at step ${stepsBefore + index + 1}` };
      }
      // The steps of a call share its time.
      const endedAtMs = callStartedAtMs + (callMs * (index + 1)) / results.length;
      const seconds = (endedAtMs - startedAtMs) / 1000;
      answers.set(probabilities, part.frames * labelCount);
      part = {
        steps: part.steps + 1,
        frames: part.frames + frameCount,
        lossSum: part.lossSum + loss * frameCount,
        seconds: from.seconds + seconds,
      };
      const framesPerSecond = (part.frames - from.frames) / seconds;
      tell({ kind: 'step', epoch, step: part.steps, stepsInEpoch, loss, framesPerSecond });
    }
    await rest(callMs);
    if (part.steps === stepsInEpoch) break;
    const isStopped = isStopRequested();
    if (isStopped || isSaveDue())
      await savePart(part, answers.subarray(firstAnswer, part.frames * labelCount));
    if (isStopped) return { stoppedAtStep: runner.step };
  }
  return { part, answered: answers.subarray(firstAnswer) };
}

/** Scores what the steps answered to the last of these rows of the training part. */
function scoreAnswered(
  probabilities: Float32Array,
  order: readonly number[],
  { training, labels }: LearnOptions,
): Report {
  const rows = order.slice(order.length - probabilities.length / training.labelCount);
  const targets = pickTargets(training, rows, new Uint8Array(probabilities.length));
  const thresholds = labels.map(() => defaultThreshold);
  return score({ probabilities, targets, labels, thresholds });
}

/** So many batches at a time, the last as few as are left. */
async function* gather(
  batches: AsyncIterable<StepBatch>,
  count: number,
): AsyncGenerator<readonly StepBatch[]> {
  let gathered: StepBatch[] = [];
  for await (const batch of batches) {
    gathered.push(batch);
    if (gathered.length < count) continue;
    yield gathered;
    gathered = [];
  }
  if (gathered.length > 0) yield gathered;
}

const copyOf = (parameters: Parameters): Parameters =>
  new Map(
    [...parameters].map(([name, { shape, values }]) => [name, { shape, values: values.slice() }]),
  );
