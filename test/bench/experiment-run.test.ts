import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { Recipe } from '../../bench/experiment-recipes.js';
import { runSeed } from '../../bench/experiment-run.js';
import { makeFolder } from '../make-folder.js';
import { writeSmallDataset } from '../training/small-dataset.js';

/** 40 cells whose label shows, in 20 fields. */
async function writeFields(folder: string): Promise<string> {
  const dataPath = await writeSmallDataset(join(folder, 'cells'), 40);
  const table = await readFile(join(dataPath, 'train.csv'), 'utf8');
  const [header, ...rows] = table.trim().split('\n');
  const grouped = rows.map((row, at) => `${row},field${Math.floor(at / 2)}`);
  await writeFile(join(dataPath, 'train.csv'), `${[`${header},Group`, ...grouped].join('\n')}\n`);
  return dataPath;
}

test('a seed of a recipe trains, is scored on fields apart, and leaves nothing behind', async (t) => {
  const folder = await makeFolder(t);
  const dataPath = await writeFields(folder);
  const workDir = join(folder, 'work');
  const lines: string[] = [];
  const recipe: Recipe = {
    name: 'resnet-small',
    thresholds: 'validation',
    spec: {
      network: 'resnet-small',
      epochs: 3,
      batchSize: 4,
      learningRate: 5e-3,
      augmentation: 'cells',
      loss: 'weighted',
      schedule: 'cosine',
    },
  };
  const result = await runSeed({ recipe, seed: 2, dataPath, workDir, threads: 1 }, (line) =>
    lines.push(line),
  );
  const { trainingFrames, validationFrames, heldOutFrames } = result;
  t.is(trainingFrames + validationFrames + heldOutFrames, 40);
  // Whole fields of two cells each.
  for (const count of [trainingFrames, validationFrames, heldOutFrames]) t.is(count % 2, 0);
  t.true(heldOutFrames >= 6 && validationFrames >= 4);
  t.is(result.framesTrained, 3 * trainingFrames);
  t.deepEqual(Object.keys(result.f1), ['0', '25']);
  t.is(
    Object.values(result.support).reduce((sum, support) => sum + support, 0),
    heldOutFrames,
  );
  const mean = Object.values(result.f1).reduce((sum, f1) => sum + f1, 0) / 2;
  t.true(Math.abs(result.macroF1 - mean) < 1e-12);
  t.true(result.cpuSeconds > 0);
  t.is(lines.length, 3);
  t.deepEqual(await readdir(workDir), ['frames']);
});
