// npm run experiment [-- [--again] [FOLDER [SEEDS [RECIPE [THREADS]]]]]: how well the networks learn real
// cells, on fields that they never saw. Every seed that is done is kept in
// bench/results/experiment.json and not done again, unless its recipe or network has changed
// since; a seed that was interrupted goes on from its last epoch. With --again both are
// forgotten first, simulated cells included.
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { writeDurably } from '../src/files/index.js';
import { packageRoot } from '../src/package-root.js';
import { digestRecipe } from './experiment-digest.js';
import { recipes } from './experiment-recipes.js';
import { runSeed, type SeedResult } from './experiment-run.js';

/** What `bench/results/experiment.json` holds. */
interface Experiment {
  readonly at: string;
  readonly processor: string;
  readonly results: readonly SeedResult[];
}

const { values, positionals } = parseArgs({
  options: { again: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const shared = process.env['CYTOSTREAM_SHARED_DATA'] ?? join(packageRoot, '../shared/data');
const dataPath = resolve(positionals[0] || join(shared, 'hpa-cells'));
const seeds = (positionals[1] || '1,2,3,4,5').split(',').map(Number);
const only = positionals[2] || undefined;
const threads = Number(positionals[3] || 2);
const resultsPath = join(packageRoot, 'bench/results/experiment.json');
const workDir = join(tmpdir(), 'cytostream-experiment');
const asked = recipes.filter(({ name }) => only === undefined || name === only);

const read = async (): Promise<readonly SeedResult[]> =>
  existsSync(resultsPath)
    ? (JSON.parse(await readFile(resultsPath, 'utf8')) as Experiment).results
    : [];

const write = async (results: readonly SeedResult[]): Promise<void> => {
  const experiment: Experiment = {
    at: new Date().toISOString(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    results,
  };
  await writeDurably(resultsPath, [Buffer.from(`${JSON.stringify(experiment, null, 2)}\n`)]);
};

if (values.again) {
  await rm(workDir, { recursive: true, force: true });
  const isAsked = ({ recipe, seed }: SeedResult): boolean =>
    seeds.includes(seed) && asked.some(({ name }) => name === recipe);
  await write((await read()).filter((result) => !isAsked(result)));
}

for (const recipe of asked) {
  const digest = digestRecipe(recipe);
  const isOutdated = (result: SeedResult): boolean =>
    result.recipe === recipe.name && result.digest !== digest;
  for (const seed of seeds) {
    const isDone = (result: SeedResult): boolean =>
      result.digest === digest && result.seed === seed;
    if ((await read()).some(isDone)) continue;
    const result = await runSeed({ recipe, seed, dataPath, workDir, threads }, console.log);
    const labels = Object.entries(result.f1).map(([label, f1]) => `${label}: ${f1.toFixed(2)}`);
    console.log(
      `${recipe.name}, seed ${seed}: macro F1 ${result.macroF1.toFixed(3)} (${labels.join(', ')}), at 0.5 ${result.macroF1AtHalf.toFixed(3)}`,
    );
    // Read again: another process may have done another seed meanwhile.
    const others = (await read()).filter((each) => !isDone(each) && !isOutdated(each));
    await write([...others, result]);
  }
}
