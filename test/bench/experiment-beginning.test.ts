import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { trainBeginning } from '../../bench/experiment-beginning.js';
import { makeFolder } from '../make-folder.js';

test('a beginning counts the simulation of its cells in, and is taken up as it is', async (t) => {
  const workDir = await makeFolder(t);
  const recipe = {
    frameCount: 10,
    spec: { network: 'resnet-small', epochs: 1, batchSize: 4 },
  } as const;
  const lines: string[] = [];
  const begin = () => trainBeginning(recipe, { workDir, threads: 1 }, (line) => lines.push(line));
  const begun = await begin();
  const [folder = ''] = (await readdir(workDir)).filter((name) => name.startsWith('beginning-'));
  const simulated = await readFile(join(workDir, folder, 'simulated.json'), 'utf8');
  const { cpuSeconds } = JSON.parse(simulated) as { readonly cpuSeconds: number };
  t.true(cpuSeconds > 0);
  t.true(begun.cpuSeconds > cpuSeconds);
  t.is(lines.length, 2);
  t.deepEqual(await begin(), begun);
  t.is(lines.length, 2);
});
