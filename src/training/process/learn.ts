import { setImmediate } from 'node:timers/promises';
import { buildInference, type Loss, type Network, type Parameters } from '../../graph/index.js';
import type { LabelSet } from '../../label-set.js';
import type { EpochScores, RunSpec } from '../run.js';
import type { StepRunner } from '../step-runner.js';
import { createEarlyStopping } from './early-stopping.js';
import { createFrameOrder } from './frame-order.js';
import { createBatchBuffers, type FrameSet, gatherBatch } from './frame-set.js';
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
}

export interface LearnCollaborators {
  readonly runner: StepRunner;
  tell(event: ProcessEvent): void;
  /** Keeps the weights of the best epoch so far; they are overwritten after it resolves. */
  keep(best: {
    readonly epoch: number;
    readonly step: number;
    readonly state: Parameters;
  }): Promise<void>;
  isStopRequested(): boolean;
}

/** The epoch whose weights were kept. */
export interface BestEpoch {
  readonly scores: EpochScores;
  /** float32 `[N, L]`, of the validation part. */
  readonly probabilities: Float32Array;
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
 * be served. The weights of the lowest validation loss are handed to `keep`.
 *
 * Training loss and accuracy are means over the frames of the epoch while the weights
 * change and with dropout, as Keras shows them.
 *
 * Ends after the last epoch, after `patience` epochs without a lower validation loss,
 * after the step during which a stop was requested, or at a loss that is not a number:
 * all of these are results. Throws what a collaborator throws.
 */
export async function learn(
  options: LearnOptions,
  collaborators: LearnCollaborators,
): Promise<Learned> {
  const { spec, network, labels, loss, training, validation, threads } = options;
  const { runner, tell, keep } = collaborators;
  const stopping = createEarlyStopping(spec.patience);
  const order = createFrameOrder(spec, training);
  const history: EpochScores[] = [];
  let best: BestEpoch | null = null;
  const end = (state: Learned['state'], reason: string): Learned => ({
    state,
    reason,
    history,
    best,
  });

  for (let epoch = 1; epoch <= spec.epochs; epoch += 1) {
    const startedAtMs = performance.now();
    const trained = await trainEpoch(epoch, order(epoch), options, collaborators);
    if ('diverged' in trained) return end('failed', trained.diverged);
    if ('stoppedAtStep' in trained) {
      return end('stopped', `stopped on request at step ${trained.stoppedAtStep}`);
    }
    const model = buildInference(network, runner.parameters());
    const { probabilities, report } = await validate(
      { model, set: validation, labels },
      { threads, shape: network.inputShape },
    );
    if (report === null) {
      return end('failed', `validation loss is NaN after epoch ${epoch}`);
    }
    const validationLoss =
      loss.kind === 'bce'
        ? report.meanBinaryCrossEntropy
        : meanLoss(loss, probabilities, validation);
    const { isBest, isOver } = stopping.observe(validationLoss);
    const scores: EpochScores = {
      epoch,
      trainingLoss: trained.loss,
      trainingAccuracy: trained.accuracy,
      validationLoss,
      validationAccuracy: report.binaryAccuracy,
      validationMacroF1: report.macroF1,
      alwaysNoAccuracy: report.alwaysNoAccuracy,
      seconds: (performance.now() - startedAtMs) / 1000,
      best: isBest,
    };
    history.push(scores);
    if (isBest) {
      await keep({ epoch, step: runner.step, state: runner.parameters() });
      best = { scores, probabilities };
    }
    // Told only once the weights are safe: who reads "best" may rely on them.
    tell({ kind: 'epoch', ...scores });
    if (isOver && epoch < spec.epochs) {
      return end(
        'finished',
        `stopped early after epoch ${epoch}: no lower validation loss than epoch ${stopping.bestEpoch}'s for ${spec.patience} epochs`,
      );
    }
    if (collaborators.isStopRequested() && epoch < spec.epochs) {
      return end('stopped', `stopped on request after epoch ${epoch}`);
    }
  }
  return end('finished', `finished ${spec.epochs} ${spec.epochs === 1 ? 'epoch' : 'epochs'}`);
}

type TrainedEpoch =
  | { readonly loss: number; readonly accuracy: number }
  | { readonly diverged: string }
  | { readonly stoppedAtStep: number };

async function trainEpoch(
  epoch: number,
  order: readonly number[],
  { spec, training }: LearnOptions,
  { runner, tell, isStopRequested }: LearnCollaborators,
): Promise<TrainedEpoch> {
  const frameCount = training.pixels.length;
  const stepsInEpoch = Math.ceil(frameCount / spec.batchSize);
  const rate = { ...spec, totalSteps: stepsInEpoch * spec.epochs };
  const buffers = createBatchBuffers(training, Math.min(spec.batchSize, frameCount));
  const startedAtMs = performance.now();
  let lossSum = 0;
  let correct = 0;
  let framesDone = 0;
  for (let step = 1; step <= stepsInEpoch; step += 1) {
    const rows = order.slice(framesDone, framesDone + spec.batchSize);
    const batch = gatherBatch(training, rows, buffers);
    const { loss, probabilities } = await runner.run(batch, learningRateAfter(runner.step, rate));
    if (!Number.isFinite(loss)) return { diverged: `loss is ${loss} at step ${runner.step}` };
    framesDone += batch.frameCount;
    lossSum += loss * batch.frameCount;
    correct += countCorrect(probabilities, batch.targets);
    const framesPerSecond = framesDone / ((performance.now() - startedAtMs) / 1000);
    tell({ kind: 'step', epoch, step, stepsInEpoch, loss, framesPerSecond });
    // A step blocks the thread: messages are heard between two.
    await setImmediate();
    if (step < stepsInEpoch && isStopRequested()) return { stoppedAtStep: runner.step };
  }
  return { loss: lossSum / frameCount, accuracy: correct / (frameCount * training.labelCount) };
}

function countCorrect(probabilities: Float32Array, targets: Float32Array): number {
  let correct = 0;
  for (let at = 0; at < targets.length; at += 1) {
    if ((probabilities[at] ?? 0) >= defaultThreshold === (targets[at] === 1)) correct += 1;
  }
  return correct;
}
