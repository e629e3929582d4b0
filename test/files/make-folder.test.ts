import { execFile } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { makeFolder } from '../../src/files/index.js';
import { makeFolder as makeTestFolder } from '../make-folder.js';

test('a folder is made with those above it, also by several at once, also again', async (t) => {
  const path = join(await makeTestFolder(t), 'a', 'b', 'c');
  await Promise.all([makeFolder(path), makeFolder(path), makeFolder(join(path, 'd'))]);
  await makeFolder(path);
  t.true(statSync(join(path, 'd')).isDirectory());
});

test('who makes the same folders a moment later is not told that there is none above them', async (t) => {
  const folder = await makeTestFolder(t);
  for (let round = 0; round < 200; round += 1) {
    const path = join(folder, `${round}`, 'a', 'b', 'c');
    const starts = Array.from({ length: 8 }, (_, at) => join(path, `${at}`));
    await Promise.all(starts.map(makeFolder));
    t.is(starts.filter((each) => existsSync(each)).length, starts.length);
  }
});

test('where a file is in the way, or a link to nothing, the system says so', async (t) => {
  const folder = await makeTestFolder(t);
  await writeFile(join(folder, 'file'), '');
  await t.throwsAsync(makeFolder(join(folder, 'file')), { code: 'EEXIST' });
  await t.throwsAsync(makeFolder(join(folder, 'file', 'x')), { code: 'ENOTDIR' });
  await symlink(join(folder, 'nothing'), join(folder, 'link'));
  await t.throwsAsync(makeFolder(join(folder, 'link')), { code: 'EEXIST' });
  await mkdir(join(folder, 'there'));
  await symlink(join(folder, 'there'), join(folder, 'linked'));
  await makeFolder(join(folder, 'linked', 'x'));
  t.true(existsSync(join(folder, 'there', 'x')));
});

// In a process of its own: what it guards against would never end. Linux alone has /proc, in which no
// folder can be made.
(existsSync('/proc/self') ? test : test.skip)(
  'a folder that can have none in it is an error, not an endless loop',
  async (t) => {
    const script = `import('${new URL('../../src/files/index.js', import.meta.url)}')
      .then(({ makeFolder }) => makeFolder('/proc/cytostream/models'))
      .catch(({ code }) => console.log(code))`;
    const run = promisify(execFile)(process.execPath, ['-e', script], { timeout: 30_000 });
    t.is((await run).stdout.trim(), 'ENOENT');
  },
);
