import { join } from 'node:path';
import test from 'ava';
import { recipes } from '../../src/training/index.js';
import { makeFolder } from '../make-folder.js';
import { writeSmallDataset } from '../training/small-dataset.js';
import { runCli } from './run-cli.js';

test('a recipe fills what is not given, and nothing else', async (t) => {
  const folder = await makeFolder(t);
  const data = await writeSmallDataset(join(folder, 'cells'), 12);
  const specOf = async (...words: readonly string[]) => {
    const { stdout, stderr, exitCode } = await runCli(
      ['train', '--data', data, '--model', 'cells', '--epochs', '1', '--json', ...words],
      { cwd: folder, env: { CYTOSTREAM_TRAINING_THREADS: '1' } },
    );
    t.is(exitCode, 0, stderr);
    const events = stdout.trim().split('\n');
    return events.map((line) => JSON.parse(line)).find(({ kind }) => kind === 'started').spec;
  };
  // What is given stands, also where it is the default of another recipe.
  const given = ['--batch', '4', '--augmentation', 'sizes', '--loss', 'bce'];
  const spec = await specOf('--recipe', 'residual', ...given);
  const changed = { epochs: 1, batchSize: 4, augmentation: 'sizes', loss: 'bce' };
  t.like(spec, { ...recipes.residual, ...changed });
  t.is(spec.sampling, 'shuffled');

  const unknown = await runCli(['train', '--data', data, '--model', 'cells', '--recipe', 'best']);
  t.is(unknown.exitCode, 2);
  t.regex(unknown.stderr, /card, residual/);
});
