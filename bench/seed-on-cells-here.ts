import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SplitOptions } from '../src/dataset/index.js';
import { silentLog } from '../src/log.js';
import { openModelStore } from '../src/models/index.js';
import { createTrainer, type EpochScores, parseRunSpec } from '../src/training/index.js';

/** What was reached on the held-out fields after the epoch that was kept. */
export interface HeldOut {
  /** Over the labels present there. */
  readonly macroF1Present: number;
  readonly binaryAccuracy: number;
  /** What answering "no" to every label of the same frames reaches. */
  readonly alwaysNoAccuracy: number;
  /** The mean over frames and labels. */
  readonly crossEntropy: number;
}

/** How long and on what a side of the comparison trains. */
export interface TrainingOptions {
  readonly split: SplitOptions;
  readonly epochs: number;
  readonly batchSize: number;
}

/**
 * Trains `seed-cnn` on real cells, as `train` does, and returns what it reaches on
 * the held-out fields after the epoch of the lowest loss there. Prints each epoch.
 */
export async function trainHere(
  dataPath: string,
  { split, epochs, batchSize }: TrainingOptions,
): Promise<HeldOut> {
  const folder = await mkdtemp(join(tmpdir(), 'cytostream-seed-on-cells-'));
  const store = await openModelStore(join(folder, 'models'));
  const trainer = createTrainer({ runsDir: join(folder, 'runs') }, { store, log: silentLog });
  try {
    const parsed = parseRunSpec({ dataPath, model: 'cells', epochs, batchSize, ...split });
    if ('faults' in parsed) throw new Error(parsed.faults.join('; '));
    const { id } = await trainer.start(parsed.value);
    for await (const event of trainer.watch(id, 1, new AbortController().signal)) {
      if (event.kind === 'epoch') console.log(describe(event, scoresOf(event)));
    }
    const { state, history } = await trainer.get(id);
    const best = history.findLast((epoch) => epoch.best);
    if (state !== 'finished' || best === undefined) throw new Error(`the run ${state}`);
    return scoresOf(best);
  } finally {
    await trainer.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function scoresOf(epoch: EpochScores): HeldOut {
  return {
    macroF1Present: epoch.validationMacroF1Present,
    binaryAccuracy: epoch.validationAccuracy,
    alwaysNoAccuracy: epoch.alwaysNoAccuracy,
    crossEntropy: epoch.validationLoss,
  };
}

function describe(
  { epoch, trainingLoss, alwaysNoAccuracy, seconds }: EpochScores,
  scores: HeldOut,
): string {
  const of = (value: number) => value.toFixed(4);
  return [
    `epoch ${epoch}: loss ${of(trainingLoss)}, held out ${of(scores.crossEntropy)}`,
    `accuracy ${of(scores.binaryAccuracy)} ("no" to all: ${of(alwaysNoAccuracy)})`,
    `macro F1 of the present ${of(scores.macroF1Present)}`,
    `${seconds.toFixed(0)} s`,
  ].join(', ');
}
