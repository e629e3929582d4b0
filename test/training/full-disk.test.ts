import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { readCheckpoint } from '../../src/training/checkpoint.js';
import type { RunEvent } from '../../src/training/index.js';
import { makeFolder } from '../make-folder.js';
import { writeSmallDataset } from './small-dataset.js';
import { openTestTrainer } from './test-trainer.js';

test('a disk that is full at a later checkpoint fails the run and leaves the earlier one', async (t) => {
  if (!existsSync('/dev/full')) {
    t.log('SKIPPED: this system has no /dev/full');
    t.pass();
    return;
  }
  const { trainer, runsDir, spec, models } = await openTestTrainer(t);
  const run = await trainer.start({ ...spec, epochs: 40, patience: 40 });
  const folder = join(runsDir, run.id);
  const checkpoint = join(folder, 'last.safetensors');
  const fill = async () => {
    if (isFull) return;
    // Where the next is put together leads to a device that is always full. It may just be
    // there, being written: then after the next epoch.
    isFull = await symlink('/dev/full', `${checkpoint}.partial`).then(
      () => true,
      () => false,
    );
  };
  let isFull = false;
  let earlier = 0;
  const events: RunEvent[] = [];
  for await (const event of trainer.watch(run.id, 1, new AbortController().signal)) {
    events.push(event);
    if (event.kind !== 'epoch') continue;
    if (earlier === 0) earlier = (await readCheckpoint(checkpoint)).epoch;
    await fill();
  }
  const end = events.at(-1);
  t.like(end, {
    kind: 'ended',
    state: 'failed',
    reason: 'cannot write last.safetensors: the disk is full (ENOSPC)',
  });
  t.false((await readdir(folder)).includes('last.safetensors.partial'));
  const kept = await readCheckpoint(checkpoint);
  t.true(isFull && kept.epoch >= earlier);
  const last = events.findLast((event) => event.kind === 'epoch');
  t.is(kept.epoch, last?.kind === 'epoch' ? last.epoch : 0);
  // Once there is room again it goes on from there.
  await rm(`${checkpoint}.partial`, { force: true });
  t.true((await trainer.get(run.id)).resumable);
  t.deepEqual(await models.versions('small'), []);
});

test('a run under a limit on file sizes fails with the reason and no half checkpoint', async (t) => {
  if (process.platform === 'win32') {
    t.log('SKIPPED: this system has no ulimit');
    t.pass();
    return;
  }
  const folder = await makeFolder(t);
  const dataPath = await writeSmallDataset(join(folder, 'cells'), 8);
  const entry = join(import.meta.dirname, 'limited-trainer.js');
  // 1000 blocks of 512 or 1024 bytes; a checkpoint takes more than a MiB.
  const limited = 'ulimit -f 1000 && exec "$0" "$1" "$2" "$3"';
  await promisify(execFile)('sh', [
    '-c',
    limited,
    process.execPath,
    entry,
    join(folder, 'runs'),
    dataPath,
  ]);
  const files = await readdir(join(folder, 'runs', 'limited'));
  t.deepEqual(
    files.filter((file) => file.includes('safetensors')),
    [],
  );
  const lines = await readFile(join(folder, 'runs', 'limited', 'events.jsonl'), 'utf8');
  t.like(JSON.parse(lines.trimEnd().split('\n').at(-1) ?? ''), {
    kind: 'ended',
    state: 'failed',
    reason:
      'cannot write last.safetensors: the file would exceed the size limit of the process (EFBIG)',
  });
});
