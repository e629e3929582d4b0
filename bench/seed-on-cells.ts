import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDataset, type SplitOptions, splitDataset } from '../src/dataset/index.js';
import { createPreparer } from '../src/frames/index.js';
import { hpaLabels } from '../src/label-set.js';
import { openModelStore } from '../src/models/index.js';
import { packageRoot } from '../src/package-root.js';
import { silentLog } from '../src/telemetry/index.js';
import {
  createTrainer,
  defaultInputSpec,
  type EpochScores,
  parseRunSpec,
} from '../src/training/index.js';
import { createBatchBuffers, gatherBatch, loadFrames } from '../src/training/process/frame-set.js';

/** What PyTorch 1.13 reached with the same network on held-out fields after as many epochs. */
const goal = { macroF1Present: 0.33, binaryAccuracy: 0.969, crossEntropy: 0.067 };

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
  const split = splitDataset(await openDataset(dataPath), splitOf(seed));
  const present = new Set(split.validation.flatMap(({ labelIndices }) => labelIndices)).size;
  // An absent label counts 0 in the mean over all 28.
  const ofPresent = (macroF1: number) => (macroF1 * hpaLabels.length) / present;
  const folder = await mkdtemp(join(tmpdir(), 'cytostream-seed-on-cells-'));
  const store = await openModelStore(join(folder, 'models'));
  const trainer = createTrainer({ runsDir: join(folder, 'runs') }, { store, log: silentLog });
  try {
    const given = { dataPath, model: 'cells', epochs, batchSize, ...splitOf(seed) };
    const parsed = parseRunSpec(given);
    if ('faults' in parsed) throw new Error(parsed.faults.join('; '));
    const { id } = await trainer.start(parsed.value);
    for await (const event of trainer.watch(id, 1, new AbortController().signal)) {
      if (event.kind === 'started') {
        const { parameterCount, trainingFrames, validationFrames } = event;
        console.log(`${parameterCount} parameters, ${trainingFrames} cells train`);
        console.log(`${validationFrames} cells of other fields validate, seed ${seed}`);
      }
      if (event.kind === 'epoch')
        console.log(describeEpoch(event, ofPresent(event.validationMacroF1)));
      if (event.kind === 'ended') console.log(`${event.state}: ${event.reason}`);
    }
    const { state, history } = await trainer.get(id);
    const best = history.findLast((epoch) => epoch.best);
    if (state !== 'finished' || best === undefined) throw new Error('the run did not finish');
    const macroF1Present = ofPresent(best.validationMacroF1);
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

/** How both sides of the comparison split. */
function splitOf(seed: number): SplitOptions {
  return { share: 1, trainingPart: 0.8, split: 'group', seed };
}

function describeEpoch(scores: EpochScores, macroF1Present: number): string {
  const of = (value: number) => value.toFixed(4);
  return [
    `epoch ${scores.epoch}: loss ${of(scores.trainingLoss)}, held out ${of(scores.validationLoss)}`,
    `accuracy ${of(scores.validationAccuracy)} ("no" to all: ${of(scores.alwaysNoAccuracy)})`,
    `macro F1 of the present ${of(macroF1Present)}`,
    `${scores.seconds.toFixed(0)} s`,
  ].join(', ');
}

/**
 * Trains the same network in PyTorch on the very same split, for a fair comparison: how
 * hard a split is differs from draw to draw. `python` must have PyTorch.
 */
export async function trainYardstick(
  dataPath: string,
  { python, epochs = 3, seed = 1 }: { python: string; epochs?: number; seed?: number },
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'cytostream-yardstick-'));
  const preparer = createPreparer({ threads: 1 });
  try {
    const dataset = await openDataset(dataPath);
    const split = splitDataset(dataset, splitOf(seed));
    for (const [part, frames] of Object.entries(split)) {
      const set = await loadFrames(
        { dataset, frames, inputSpec: defaultInputSpec, inFlight: 2 },
        { preparer, cache: null, warn: console.error, isStopRequested: () => false },
        () => undefined,
      );
      if (set === null) continue;
      const rows = set.frames.map((_, row) => row);
      const { pixels } = gatherBatch(set, rows, createBatchBuffers(set, rows.length));
      await writeFile(join(folder, `${part}-pixels.bin`), pixels);
      await writeFile(join(folder, `${part}-targets.bin`), set.targets);
    }
    const script = join(packageRoot, 'bench/seed_on_cells_torch.py');
    const child = spawn(python, [script, folder, `${epochs}`, `${seed}`], { stdio: 'inherit' });
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`the yardstick ended with exit code ${code}`);
  } finally {
    await preparer.close();
    await rm(folder, { recursive: true, force: true });
  }
}

// node dist/bench/seed-on-cells.js [FOLDER] [SEED] [PYTHON]: with a Python that has PyTorch,
// the same is trained there afterwards.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const shared = process.env['CYTOSTREAM_SHARED_DATA'] ?? join(packageRoot, '../shared/data');
  const dataPath = resolve(process.argv[2] || join(shared, 'hpa-cells'));
  const seed = Number(process.argv[3] || 1);
  const python = process.argv[4];
  const { hasReached } = await trainSeedOnCells(dataPath, { seed });
  if (python !== undefined) await trainYardstick(dataPath, { python, seed });
  process.exitCode = hasReached ? 0 : 1;
}
