import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openModelStore } from '../src/models/index.js';
import { packageRoot } from '../src/package-root.js';
import { silentLog } from '../src/telemetry/index.js';
import { createTrainer, type EpochScores, parseRunSpec } from '../src/training/index.js';

/** What PyTorch 1.13 reached with the same network on held-out fields after as many epochs. */
const goal = { macroF1Present: 0.33, binaryAccuracy: 0.969, crossEntropy: 0.067 };

/** Labels of the 28 that hpa-cells has: 0, 2, 21, 23 and 25, on both sides of the split. */
const presentLabels = 5;

export interface SeedOnCells {
  readonly epochs: readonly EpochScores[];
  /** Of the epoch that was kept. */
  readonly macroF1Present: number;
  readonly binaryAccuracy: number;
  readonly crossEntropy: number;
  readonly hasReached: boolean;
}

/**
 * Trains the seed's network on real cells, split by field, and compares what it reaches
 * on the held-out fields with the goal. Prints each epoch. Takes some minutes.
 */
export async function trainSeedOnCells(
  dataPath: string,
  { epochs = 3, batchSize = 32, seed = 1 } = {},
): Promise<SeedOnCells> {
  const folder = await mkdtemp(join(tmpdir(), 'cytostream-seed-on-cells-'));
  const store = await openModelStore(join(folder, 'models'));
  const trainer = createTrainer({ runsDir: join(folder, 'runs') }, { store, log: silentLog });
  try {
    const given = { dataPath, model: 'cells', split: 'group', epochs, batchSize, seed };
    const parsed = parseRunSpec(given);
    if ('faults' in parsed) throw new Error(parsed.faults.join('; '));
    const { id } = await trainer.start(parsed.value);
    for await (const event of trainer.watch(id, 1, new AbortController().signal)) {
      if (event.kind === 'started') {
        const { parameterCount, trainingFrames, validationFrames } = event;
        console.log(`${parameterCount} parameters, ${trainingFrames} cells train`);
        console.log(`${validationFrames} cells of other fields validate, seed ${seed}`);
      }
      if (event.kind === 'epoch') console.log(describeEpoch(event));
      if (event.kind === 'ended') console.log(`${event.state}: ${event.reason}`);
    }
    const { state, history } = await trainer.get(id);
    const best = history.findLast((epoch) => epoch.best);
    if (state !== 'finished' || best === undefined) throw new Error('the run did not finish');
    // An absent label counts 0 in the mean over all 28.
    const macroF1Present = (best.validationMacroF1 * 28) / presentLabels;
    const binaryAccuracy = best.validationAccuracy;
    const crossEntropy = best.validationLoss;
    const hasReached =
      macroF1Present >= goal.macroF1Present &&
      binaryAccuracy >= goal.binaryAccuracy &&
      crossEntropy <= goal.crossEntropy;
    console.log(
      `macro F1 of the present ${macroF1Present.toFixed(4)}, goal ${goal.macroF1Present}`,
    );
    console.log(`binary accuracy ${binaryAccuracy.toFixed(4)}, goal ${goal.binaryAccuracy}`);
    console.log(`binary cross-entropy ${crossEntropy.toFixed(4)}, goal ${goal.crossEntropy}`);
    console.log(hasReached ? 'reached' : 'NOT reached');
    return { epochs: history, macroF1Present, binaryAccuracy, crossEntropy, hasReached };
  } finally {
    await trainer.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function describeEpoch(scores: EpochScores): string {
  const of = (value: number) => value.toFixed(4);
  return [
    `epoch ${scores.epoch}: loss ${of(scores.trainingLoss)}, held out ${of(scores.validationLoss)}`,
    `accuracy ${of(scores.validationAccuracy)} ("no" to all: ${of(scores.alwaysNoAccuracy)})`,
    `macro F1 of the present ${of((scores.validationMacroF1 * 28) / presentLabels)}`,
    `${scores.seconds.toFixed(0)} s`,
  ].join(', ');
}

// node dist/bench/seed-on-cells.js [FOLDER] [SEED]
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const shared = process.env['CYTOSTREAM_SHARED_DATA'] ?? join(packageRoot, '../shared/data');
  const dataPath = resolve(process.argv[2] ?? join(shared, 'hpa-cells'));
  const { hasReached } = await trainSeedOnCells(dataPath, { seed: Number(process.argv[3] ?? 1) });
  process.exitCode = hasReached ? 0 : 1;
}
