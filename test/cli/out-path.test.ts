import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { UsageError } from '../../src/cli/failure.js';
import { claimOutFile, claimOutFolder } from '../../src/cli/out-path.js';
import { makeFolder } from '../make-folder.js';

test('the folder of a file that is to be written is made before the work', async (t) => {
  const file = join(await makeFolder(t), 'a', 'b', 'predictions.csv');
  t.is(await claimOutFile(file), file);
  t.true((await stat(join(file, '..'))).isDirectory());
  await t.throwsAsync(stat(file));
});

test('a folder where a file is to be is refused, and a file where a folder is to be', async (t) => {
  const folder = await makeFolder(t);
  await t.throwsAsync(claimOutFile(folder), {
    instanceOf: UsageError,
    message: `--out: expected a file, got the folder "${folder}"`,
  });
  const file = join(folder, 'report');
  await writeFile(file, '');
  await t.throwsAsync(claimOutFolder(file), {
    instanceOf: UsageError,
    message: `--out: expected a folder that can be written, got "${file}": a file of that name is there (EEXIST)`,
  });
  await t.throwsAsync(claimOutFile(join(file, 'x.csv')), {
    message: new RegExp(`--out: expected a folder that can be written, got "${file}"`),
  });
});
