import { dirname, join } from 'node:path';
import { createOnnxGraphRunner, type DeviceName } from '../../engines/index.js';
import { DomainError } from '../../errors.js';
import { makeFolder, writeDurably } from '../../files/index.js';
import {
  buildInference,
  buildTrainingStep,
  type Network,
  type Parameters,
} from '../../graph/index.js';
import {
  type DriftThreshold,
  type ExplanationSpec,
  largestDifference,
} from '../../models/index.js';
import { createStepRunner } from '../step-runner.js';
import { quantileOf } from './drift.js';
import { exportExplanation } from './export-explanation.js';
import { fitDistance } from './fit-distance.js';
import { createBatchBuffers, type FrameSet, gatherBatch } from './frame-set.js';
import { exportFiles } from './messages.js';
import { runOver } from './run-over.js';
import { scaledFrames, usualFramesPerPass } from './scaled-frames.js';

/**
 * How far the served graph may be from the training graph, as probability. Both are
 * float32 and add in another order, which was seen to make 1e-7; a weight in the wrong
 * place makes 1e-2.
 */
export const exportTolerance = 1e-5;

/** Held-out frames that both graphs answer. */
const checkedFrames = 8;

/** So much of the validation part lies within the threshold of distances. */
const withinThreshold = 0.99;

/** What the exported files gave in the runtime that serves. */
export interface Exported {
  /** Probabilities of the golden frame. */
  readonly goldenOutput: readonly number[];
  readonly drift: DriftThreshold;
  readonly explanation: ExplanationSpec;
}

/**
 * Writes the trained network as it will be served, with the distance of a frame to the
 * training part and with its golden frame (the first of the validation part), and returns
 * what that frame gave.
 *
 * Before that, both graphs answer held-out frames: the exported one in the runtime, and
 * the training step without its dropouts. They do so on the CPU wherever the run trained:
 * what it gives is the record that every machine's golden frame is held against. All that
 * goes over many frames runs on the device. Throws `internal` where they differ by more
 * than `exportTolerance`, and `storage_failed`.
 */
export async function exportModel(
  {
    network,
    parameters,
    training,
    validation,
    folder,
  }: {
    readonly network: Network;
    readonly parameters: Parameters;
    readonly training: FrameSet;
    readonly validation: FrameSet;
    readonly folder: string;
  },
  { threads, device }: { readonly threads: number; readonly device: DeviceName },
): Promise<Exported> {
  const whitening = await fitDistance({ network, parameters, training }, { threads, device });
  const model = buildInference(network, parameters, { whitening });
  const count = Math.min(checkedFrames, validation.frames.length);
  const rows = Array.from({ length: count }, (_, row) => row);
  const batch = gatherBatch(validation, rows, createBatchBuffers(validation, count));
  const trained = await answerOfTraining({ network, parameters, batch }, { threads });

  const runner = await createOnnxGraphRunner(model, { threads });
  try {
    const answer = (some: readonly number[]): Promise<Float32Array> => {
      const what = { output: 'probabilities', shape: network.inputShape };
      return runOver({ set: validation, rows: some }, what, runner);
    };
    const served = await answer(rows);
    const { index, difference } = largestDifference(served, trained);
    if (!(difference <= exportTolerance)) {
      throw new DomainError(
        'internal',
        `bug: on held-out frames the exported model gave ${served[index]} where the training graph gives ${trained[index]}, expected them within ${exportTolerance}`,
      );
    }
    const golden = batch.pixels.slice(0, validation.frameBytes);
    const goldenOutput = await answer([0]);
    await makeFolder(join(folder, dirname(exportFiles.model)));
    await writeDurably(join(folder, exportFiles.model), [model]);
    await writeDurably(join(folder, exportFiles.golden), [golden]);
    const explanation = await exportExplanation(
      { network, model, golden: { frame: golden, output: goldenOutput }, folder },
      { threads },
    );
    const distances = await distancesOf(model);
    return {
      goldenOutput: [...goldenOutput],
      drift: {
        threshold: quantileOf(distances, withinThreshold),
        source: `${100 * withinThreshold} % of ${distances.length} validation frames are nearer`,
      },
      explanation,
    };
  } finally {
    await runner.close();
  }

  /** Of the whole validation part. */
  async function distancesOf(exported: Uint8Array): Promise<Float32Array> {
    const measuring = await createOnnxGraphRunner(exported, { device, threads });
    try {
      const rows = Array.from(validation.frames.keys());
      const what = { output: 'distance', shape: network.inputShape };
      return await runOver({ set: validation, rows }, what, measuring);
    } finally {
      await measuring.close();
    }
  }
}

/** Probabilities of the training graph, whose dropouts are taken out as if it served. */
async function answerOfTraining(
  {
    network,
    parameters,
    batch,
  }: {
    readonly network: Network;
    readonly parameters: Parameters;
    readonly batch: ReturnType<typeof gatherBatch>;
  },
  { threads }: { readonly threads: number },
): Promise<Float32Array> {
  const [, heightPx, widthPx] = network.inputShape;
  const step = buildTrainingStep(
    { ...network, layers: network.layers.filter(({ kind }) => kind !== 'dropout') },
    {
      batchSize: batch.frameCount,
      framesPerPass: scaledFrames(usualFramesPerPass, { heightPx, widthPx }),
    },
  );
  const graphRunner = await createOnnxGraphRunner(step.model, { threads });
  try {
    const runner = createStepRunner({ step, state: parameters, seed: 0 }, { runner: graphRunner });
    return (await runner.run(batch, 0)).probabilities;
  } finally {
    await graphRunner.close();
  }
}
