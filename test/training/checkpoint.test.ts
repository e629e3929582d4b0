import { existsSync } from 'node:fs';
import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../../src/training/checkpoint.js';
import { makeFolder } from '../make-folder.js';
import { what } from './run-fixtures.js';

function newCheckpoint(fill: number, count = 12): Checkpoint {
  const tensor = (first: number) => ({
    shape: [count / 2, 2],
    values: Float32Array.from({ length: count }, (_, at) => first + at / 7),
  });
  const state = new Map([
    ['conv1/kernel', tensor(fill)],
    ['conv1/kernel/m', tensor(fill + 1)],
    ['conv1/bias', { shape: [1], values: Float32Array.of(Number.NaN) }],
  ]);
  const part = { steps: 3, frames: 12, lossSum: 0.1 + 0.2, seconds: 1 / 3 };
  const progress = { history: [], part, datasetFingerprint: 'f0' };
  return { ...what, epoch: 2, step: 812, state, progress };
}

test('a checkpoint comes back as it was, bit for bit', async (t) => {
  const path = join(await makeFolder(t), 'best.safetensors');
  const checkpoint = newCheckpoint(3);
  await writeCheckpoint(path, checkpoint);
  t.deepEqual(await readCheckpoint(path), checkpoint);
  await writeCheckpoint(path, newCheckpoint(4));
  t.deepEqual(await readCheckpoint(path), newCheckpoint(4));
});

test('the file is a safetensors file: length, JSON with offsets, values', async (t) => {
  const path = join(await makeFolder(t), 'best.safetensors');
  await writeCheckpoint(path, newCheckpoint(3));
  const file = await readFile(path);
  const length = Number(file.readBigUInt64LE());
  t.is(length % 8, 0);
  const header = JSON.parse(file.subarray(8, 8 + length).toString());
  t.deepEqual(header['conv1/kernel/m'], {
    dtype: 'F32',
    shape: [6, 2],
    data_offsets: [48, 96],
  });
  t.is(file.readFloatLE(8 + length + 48), 4);
  t.is(file.byteLength, 8 + length + 100);
  for (const value of Object.values(header.__metadata__)) t.is(typeof value, 'string');
});

test('no single changed byte goes unnoticed, nor a cut file, nor one of something else', async (t) => {
  const path = join(await makeFolder(t), 'best.safetensors');
  await writeCheckpoint(path, newCheckpoint(3));
  const sound = await readFile(path);
  const corrupt = { name: 'DomainError', code: 'checkpoint_corrupt' } as const;
  const header = 8 + Number(sound.readBigUInt64LE());
  const padding = sound.subarray(0, header).toString().trimEnd().length;
  for (let at = 0; at < sound.byteLength; at += 1) {
    // The name of our format and the padding say nothing about the weights.
    if (at >= padding && at < header) continue;
    const changed = Buffer.from(sound);
    changed[at] = (changed[at] ?? 0) ^ 1;
    await writeFile(path, changed);
    const text = changed.subarray(0, header).toString();
    if (!text.includes('cytostream-checkpoint-1') || !text.includes('"format"')) continue;
    await t.throwsAsync(readCheckpoint(path), corrupt, `byte ${at}`);
  }
  for (const length of [0, 7, 8, header - 1, header, sound.byteLength - 1]) {
    await writeFile(path, sound.subarray(0, length));
    await t.throwsAsync(readCheckpoint(path), corrupt, `${length} bytes`);
  }
  await writeFile(path, Buffer.concat([sound, Buffer.alloc(1)]));
  await t.throwsAsync(readCheckpoint(path), corrupt);
  await writeFile(path, 'Id,Target\n');
  await t.throwsAsync(readCheckpoint(path), corrupt);
});

test('a checkpoint that is not there is unknown', async (t) => {
  await t.throwsAsync(readCheckpoint(join(await makeFolder(t), 'best.safetensors')), {
    name: 'DomainError',
    code: 'checkpoint_unknown',
    message: 'there is no checkpoint best.safetensors',
  });
});

test('a full disk leaves the earlier checkpoint and nothing half', async (t) => {
  if (!existsSync('/dev/full')) {
    t.log('SKIPPED: this system has no /dev/full');
    t.pass();
    return;
  }
  const folder = await makeFolder(t);
  const path = join(folder, 'best.safetensors');
  await writeCheckpoint(path, newCheckpoint(3));
  // Where the next is put together leads to a device that is always full.
  await symlink('/dev/full', `${path}.partial`);
  await t.throwsAsync(writeCheckpoint(path, newCheckpoint(4)), {
    name: 'DomainError',
    code: 'storage_failed',
    message: 'cannot write best.safetensors: the disk is full (ENOSPC)',
  });
  t.deepEqual(await readCheckpoint(path), newCheckpoint(3));
  t.deepEqual(await readdir(folder), ['best.safetensors']);
});

test('a folder that does not exist is told without its path', async (t) => {
  const path = join(await makeFolder(t), 'gone', 'best.safetensors');
  await t.throwsAsync(writeCheckpoint(path, newCheckpoint(4)), {
    name: 'DomainError',
    code: 'storage_failed',
    message: 'cannot write best.safetensors: ENOENT',
  });
});
