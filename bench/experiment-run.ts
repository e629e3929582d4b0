import { mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import {
  type Dataset,
  type DatasetFrame,
  openDataset,
  splitDataset,
} from '../src/dataset/index.js';
import { createOnnxGraphRunner } from '../src/engines/index.js';
import { type Report, score } from '../src/evaluation/index.js';
import { writeDurably } from '../src/files/index.js';
import { createPreparer } from '../src/frames/index.js';
import { defaultInputSpec, parseRunSpec } from '../src/training/index.js';
import { loadFrames } from '../src/training/process/load-frames.js';
import { exportFiles, type Outcome } from '../src/training/process/messages.js';
import { runOver } from '../src/training/process/run-over.js';
import { trainBeginning } from './experiment-beginning.js';
import { digestRecipe } from './experiment-digest.js';
import type { Recipe } from './experiment-recipes.js';
import { trainInPlace } from './experiment-training.js';

/** What one seed of a recipe came to, on fields that took no part in anything before. */
export interface SeedResult {
  readonly recipe: string;
  /** Of the recipe, its networks counted in. */
  readonly digest: string;
  readonly seed: number;
  /** Over the labels present in the held-out fields. */
  readonly macroF1: number;
  /** The same at 0.5 for every label. */
  readonly macroF1AtHalf: number;
  /** F1 by the label's number. */
  readonly f1: Readonly<Record<string, number>>;
  readonly support: Readonly<Record<string, number>>;
  readonly trainingFrames: number;
  readonly validationFrames: number;
  readonly heldOutFrames: number;
  /** Frames that went through a training step. */
  readonly framesTrained: number;
  /** Of all threads, from the start of the run to its exported model. */
  readonly cpuSeconds: number;
  /** Of what all seeds of a recipe begin with, simulation and training, once for all of them. */
  readonly beginningCpuSeconds?: number;
}

/** How both cuts are made: whole fields, labels spread as evenly as those allow. */
const cut = { share: 1, trainingPart: 0.8, split: 'group' } as const;

/**
 * Trains a recipe with one seed and scores it on held-out fields. A fifth of the fields is
 * held out; of the rest, a fifth validates: the epoch, the temperature and the thresholds
 * are chosen there. What an earlier call left in `workDir` half done is taken up.
 */
export async function runSeed(
  {
    recipe,
    seed,
    dataPath,
    workDir,
    threads,
  }: {
    readonly recipe: Recipe;
    readonly seed: number;
    readonly dataPath: string;
    readonly workDir: string;
    readonly threads: number;
  },
  print: (line: string) => void,
): Promise<SeedResult> {
  const whole = await openDataset(dataPath);
  const { training: known, validation: heldOut } = splitDataset(whole, { ...cut, seed });
  const digest = digestRecipe(recipe);
  const place = join(workDir, `${digest}-${seed}`);
  const knownPath = join(place, 'known');
  await writePart(knownPath, whole, known);
  const beginning = recipe.beginning
    ? await trainBeginning(recipe.beginning, { workDir, threads }, print)
    : null;
  const parsed = parseRunSpec({
    ...recipe.spec,
    ...cut,
    dataPath: knownPath,
    model: 'cells',
    seed,
    ...(beginning ? { parent: 'simulated@1' } : {}),
  });
  if ('faults' in parsed) throw new Error(parsed.faults.join('; '));
  const { outcome, folder, ...trained } = await trainInPlace(
    {
      ...{ title: `${recipe.name}, seed ${seed}`, spec: parsed.value },
      ...{ beginning, place, frameCache: join(workDir, 'frames'), threads },
    },
    print,
  );
  const { trainingFrames, validationFrames, epochs, cpuSeconds } = trained;
  const { half, chosen } = await scoreHeldOut({ whole, heldOut, folder, outcome, threads });
  const report = recipe.thresholds === 'half' ? half : chosen;
  await rm(place, { recursive: true, force: true });
  const present = [...report.labels.entries()].filter(([, { support }]) => support > 0);
  return {
    recipe: recipe.name,
    digest,
    seed,
    macroF1: report.macroF1Present,
    macroF1AtHalf: half.macroF1Present,
    f1: Object.fromEntries(present.map(([label, { f1 }]) => [label, f1 ?? 0])),
    support: Object.fromEntries(present.map(([label, { support }]) => [label, support])),
    trainingFrames,
    validationFrames,
    heldOutFrames: heldOut.length,
    framesTrained: trainingFrames * epochs,
    cpuSeconds,
    ...(beginning ? { beginningCpuSeconds: beginning.cpuSeconds } : {}),
  };
}

/** Some frames of a dataset as one of its own: its table, and a link to the planes. */
async function writePart(
  path: string,
  whole: Dataset,
  frames: readonly DatasetFrame[],
): Promise<void> {
  await mkdir(path, { recursive: true });
  const rows = frames.map(({ id, labelIndices, group }) => [id, labelIndices.join(' '), group]);
  const table = stringify([['Id', 'Target', 'Group'], ...rows]);
  await writeDurably(join(path, 'train.csv'), [Buffer.from(table)]);
  const link = join(path, whole.folder);
  await rm(link, { force: true });
  await symlink(join(whole.path, whole.folder), link);
}

async function scoreHeldOut({
  whole,
  heldOut,
  folder,
  outcome,
  threads,
}: {
  readonly whole: Dataset;
  readonly heldOut: readonly DatasetFrame[];
  readonly folder: string;
  readonly outcome: Outcome;
  readonly threads: number;
}): Promise<{ readonly half: Report; readonly chosen: Report }> {
  const { exported } = outcome;
  if (exported === null) throw new Error(`the run ${outcome.state}: ${outcome.reason}`);
  const preparer = createPreparer({ threads });
  const runner = await createOnnxGraphRunner(await readFile(join(folder, exportFiles.model)), {
    threads,
  });
  try {
    const set = await loadFrames(
      { dataset: whole, frames: heldOut, inputSpec: defaultInputSpec, inFlight: 2 * threads },
      { preparer, places: null, warn: console.error, isStopRequested: () => false },
      () => undefined,
    );
    if (set === null) throw new Error('the held-out frames were not loaded');
    const { channels, heightPx, widthPx } = defaultInputSpec;
    const shape = [channels.length, heightPx, widthPx] as const;
    const rows = [...heldOut.keys()];
    const probabilities = await runOver({ set, rows }, { output: 'probabilities', shape }, runner);
    const { labels } = whole;
    const scored = { probabilities, targets: set.targets, labels };
    return {
      half: score({ ...scored, thresholds: labels.map(() => 0.5) }),
      chosen: score({ ...scored, thresholds: exported.thresholds }),
    };
  } finally {
    await runner.close();
    await preparer.close();
  }
}
