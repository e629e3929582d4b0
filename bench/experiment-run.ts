import { existsSync } from 'node:fs';
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
import { loadFrames } from '../src/training/process/frame-set.js';
import { exportFiles, type Outcome } from '../src/training/process/messages.js';
import { runOver } from '../src/training/process/run-over.js';
import { trainRun } from '../src/training/process/train-run.js';
import { createRunFolder, runFiles } from '../src/training/run-folder.js';
import { thisOwner } from '../src/training/run-owner.js';
import type { Recipe } from './experiment-recipes.js';

/** What one seed of a recipe came to, on fields that took no part in anything before. */
export interface SeedResult {
  readonly recipe: string;
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
  const place = join(workDir, `${recipe.name.replaceAll(/[^a-z0-9]+/g, '-')}-${seed}`);
  const knownPath = join(place, 'known');
  await writePart(knownPath, whole, known);
  const folder = join(place, 'run');
  const parsed = parseRunSpec({
    ...recipe.spec,
    ...cut,
    dataPath: knownPath,
    model: 'cells',
    seed,
  });
  if ('faults' in parsed) throw new Error(parsed.faults.join('; '));
  const spec = parsed.value;
  const isKept = existsSync(join(folder, runFiles.last));
  if (!isKept) {
    await rm(folder, { recursive: true, force: true });
    await createRunFolder(folder, {
      ...{ runId: 'run', spec, inputSpec: defaultInputSpec, labels: whole.labels },
      ...{ startedAtMs: Date.now(), owner: await thisOwner() },
    });
  }
  const cpu = await createCpuMeter(join(place, 'cpu.json'), isKept);
  let parts = { trainingFrames: 0, validationFrames: 0 };
  let epochs = 0;
  const outcome = await trainRun(
    {
      ...{
        folder,
        device: 'cpu' as const,
        stepsPerCall: 0,
        tensorflowPackage: null,
        threads,
        share: 1,
        checkpointEveryMs: 60_000,
      },
      frameCache: { folder: join(workDir, 'frames'), maxBytes: 2 ** 31 },
      resumed: isKept ? { epochsTold: 0 } : null,
      parentTemperature: 1,
    },
    {
      tell(event) {
        if (event.kind === 'started') parts = event;
        if (event.kind !== 'epoch') return;
        epochs = event.epoch;
        cpu.note();
        print(
          `${recipe.name}, seed ${seed}, epoch ${event.epoch}/${spec.epochs}: loss ${event.trainingLoss.toFixed(4)}, validation ${event.validationLoss.toFixed(4)}, ${cpu.seconds().toFixed(0)} s of CPU`,
        );
      },
      warn: (message, thrown) => print(`${message}: ${thrown}`),
      isStopRequested: () => false,
      rest: async () => undefined,
    },
  );
  const cpuSeconds = cpu.seconds();
  const { half, chosen } = await scoreHeldOut({ whole, heldOut, folder, outcome, threads });
  const report = recipe.thresholds === 'half' ? half : chosen;
  await rm(place, { recursive: true, force: true });
  const present = [...report.labels.entries()].filter(([, { support }]) => support > 0);
  return {
    recipe: recipe.name,
    seed,
    macroF1: report.macroF1Present,
    macroF1AtHalf: half.macroF1Present,
    f1: Object.fromEntries(present.map(([label, { f1 }]) => [label, f1])),
    support: Object.fromEntries(present.map(([label, { support }]) => [label, support])),
    trainingFrames: parts.trainingFrames,
    validationFrames: parts.validationFrames,
    heldOutFrames: heldOut.length,
    framesTrained: parts.trainingFrames * epochs,
    cpuSeconds,
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
      { preparer, cache: null, warn: console.error, isStopRequested: () => false },
      () => undefined,
    );
    if (set === null) throw new Error('the held-out frames were not loaded');
    const { channels, heightPx, widthPx } = defaultInputSpec;
    const shape = [channels.length, heightPx, widthPx];
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

/** CPU seconds of a run, also of one that several processes worked on. */
async function createCpuMeter(path: string, goesOn: boolean) {
  const before = goesOn && existsSync(path) ? Number(await readFile(path, 'utf8')) : 0;
  const start = process.cpuUsage();
  const seconds = (): number => {
    const { user, system } = process.cpuUsage(start);
    return before + (user + system) / 1e6;
  };
  const note = (): void => {
    // Without it only the seconds of an interrupted run are too few.
    writeDurably(path, [Buffer.from(String(seconds()))]).catch(() => undefined);
  };
  return { seconds, note };
}
