// npm run build; node dist/bench/seed-on-cells.js [FOLDER [SEEDS [TRAINERS [PYTHON]]]]: what the
// seed's network reaches on fields of real cells that it never saw, here and in PyTorch. SEEDS
// and TRAINERS with commas between. What is done is kept in bench/results/seed-on-cells.json
// and not done again. PYTHON is one that has PyTorch.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { writeDurably } from '../src/files/index.js';
import { packageRoot } from '../src/package-root.js';
import { type HeldOut, trainHere } from './seed-on-cells-here.js';
import { draws, trainYardstick } from './seed-on-cells-yardstick.js';

const trainers = ['here', ...draws] as const;

/** What one seed came to in one trainer: ours, or PyTorch with one kind of draws. */
interface Row {
  readonly seed: number;
  readonly trainer: (typeof trainers)[number];
  readonly scores: HeldOut;
}

/** What `bench/results/seed-on-cells.json` holds. */
interface SeedOnCells {
  readonly at: string;
  readonly processor: string;
  readonly epochs: number;
  readonly batchSize: number;
  readonly rows: readonly Row[];
}

const [, , folder, seeds = '1,2,3,4,5,6,7', asked = 'here,ours', python = 'python3'] = process.argv;
const shared = process.env['CYTOSTREAM_SHARED_DATA'] ?? join(packageRoot, '../shared/data');
const dataPath = resolve(folder || join(shared, 'hpa-cells'));
const resultsPath = join(packageRoot, 'bench/results/seed-on-cells.json');
const length = { epochs: 3, batchSize: 32 };

const read = async (): Promise<readonly Row[]> =>
  existsSync(resultsPath)
    ? (JSON.parse(await readFile(resultsPath, 'utf8')) as SeedOnCells).rows
    : [];

for (const trainer of trainers.filter((each) => asked.split(',').includes(each))) {
  for (const seed of seeds.split(',').map(Number)) {
    const isDone = (row: Row): boolean => row.seed === seed && row.trainer === trainer;
    if ((await read()).some(isDone)) continue;
    console.log(`seed ${seed}, ${trainer === 'here' ? 'here' : `PyTorch, draws ${trainer}`}`);
    const options = {
      ...length,
      split: { share: 1, trainingPart: 0.8, split: 'group', seed },
    } as const;
    const scores =
      trainer === 'here'
        ? await trainHere(dataPath, options)
        : await trainYardstick(dataPath, { ...options, python, draws: trainer });
    // Read again: another process may have done another seed meanwhile.
    const rows = [...(await read()).filter((row) => !isDone(row)), { seed, trainer, scores }];
    const results: SeedOnCells = {
      at: new Date().toISOString(),
      processor: cpus()[0]?.model.trim() ?? 'unknown',
      ...length,
      rows: rows.toSorted((a, b) => order(a) - order(b)),
    };
    await writeDurably(resultsPath, [Buffer.from(`${JSON.stringify(results, null, 2)}\n`)]);
  }
}

/** By trainer, then by seed. */
function order({ seed, trainer }: Row): number {
  return trainers.indexOf(trainer) * 1e6 + seed;
}
