import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { DomainError } from '../../src/errors.js';
import { openModelStore } from '../../src/models/index.js';
import { makeFolder } from '../make-folder.js';
import { draftOf, inputSpec, labels } from './model-fixtures.js';

test('a published version comes back as it was given', async (t) => {
  const folder = await makeFolder(t);
  const store = await openModelStore(folder);
  const draft = draftOf();
  const manifest = await store.publish(draft);
  t.like(manifest, { name: 'cells', version: 1, labels, inputSpec, parent: null });
  const again = await openModelStore(folder);
  t.deepEqual(await again.read('cells@1'), manifest);
  t.deepEqual(await again.list(), [manifest]);
  t.deepEqual(new Uint8Array(await again.readFile(manifest, 'model.onnx')), draft.model);
  t.deepEqual(new Uint8Array(await again.readFile(manifest, 'golden.bin')), draft.golden.frame);
});

test('a version that an earlier release published can be read', async (t) => {
  const folder = await makeFolder(t);
  const store = await openModelStore(folder);
  const { scores: _, training: __, ...manifest } = await store.publish(draftOf());
  const scores = {
    frameCount: 5,
    loss: 1,
    binaryAccuracy: 0.5,
    alwaysNoAccuracy: 0.7,
    macroF1: 0.2,
  };
  const path = join(folder, 'cells', '1', 'model.json');
  await writeFile(path, JSON.stringify({ ...manifest, scores }));
  const read = await store.read('cells@1');
  t.is(read.training, null);
  t.deepEqual(read.scores, {
    ...scores,
    ...{ macroF1Present: null, macroAveragePrecisionPresent: null, atThresholds: null },
  });
});

test('versions are numbered from 1 up, name by name', async (t) => {
  const store = await openModelStore(await makeFolder(t));
  for (const name of ['cells', 'cells', 'fields', 'cells']) await store.publish(draftOf(name));
  t.deepEqual(await store.names(), ['cells', 'fields']);
  t.deepEqual(await store.versions('cells'), [1, 2, 3]);
  t.deepEqual(await store.versions('fields'), [1]);
});

test('publishers at the same moment never get the same number, nor lose a version', async (t) => {
  const folder = await makeFolder(t);
  const stores = await Promise.all([1, 2, 3].map(() => openModelStore(folder)));
  const drafts = Array.from({ length: 12 }, (_, index) => draftOf('cells', { bias: index }));
  const manifests = await Promise.all(
    drafts.map((draft, index) => stores[index % 3]?.publish(draft)),
  );
  const versions = manifests.map((manifest) => manifest?.version ?? 0);
  t.deepEqual(
    versions.toSorted((left, right) => left - right),
    drafts.map((_, index) => index + 1),
  );
  for (const [index, manifest] of manifests.entries()) {
    if (!manifest) throw new Error('nothing was published');
    const bytes = await stores[0]?.readFile(manifest, 'model.onnx');
    t.deepEqual(new Uint8Array(bytes ?? []), drafts[index]?.model);
  }
  const left = (await readdir(join(folder, 'cells'))).filter((name) => name.startsWith('.'));
  t.deepEqual(left, []);
});

test('a publisher that is killed at any moment leaves whole versions only', async (t) => {
  const folder = await makeFolder(t);
  const script = `
    const { openModelStore } = await import(process.argv[1]);
    const { draftOf } = await import(process.argv[2]);
    const store = await openModelStore(process.argv[3]);
    process.send('open');
    for (;;) await store.publish(draftOf());`;
  const urls = ['../../src/models/index.js', './model-fixtures.js'].map(
    (path) => new URL(path, import.meta.url).href,
  );
  for (const delayMs of [0, 7, 23]) {
    const child = spawn(
      process.execPath,
      ['--input-type=module', '--eval', script, ...urls, folder],
      { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
    );
    await once(child, 'message');
    setTimeout(() => child.kill('SIGKILL'), delayMs);
    await once(child, 'exit');
    const store = await openModelStore(folder);
    const versions = await store.versions('cells');
    t.deepEqual(
      versions,
      versions.map((_, index) => index + 1),
    );
    t.is((await store.list()).length, versions.length);
    for (const manifest of await store.list()) {
      await store.readFile(manifest, 'model.onnx');
      await store.readFile(manifest, 'golden.bin');
    }
  }
});

test('what a dead publisher left is ignored at once and removed when it is old', async (t) => {
  const folder = await makeFolder(t);
  const store = await openModelStore(folder);
  await store.publish(draftOf());
  const leftovers = ['.unfinished-old', '.unfinished-new'].map((name) =>
    join(folder, 'cells', name),
  );
  for (const path of leftovers) {
    await mkdir(path);
    await writeFile(join(path, 'model.onnx'), 'half');
  }
  const longAgo = new Date(Date.now() - 2 * 60 * 60 * 1000);
  await utimes(leftovers[0] ?? '', longAgo, longAgo);
  const again = await openModelStore(folder);
  t.deepEqual(await again.versions('cells'), [1]);
  t.deepEqual((await readdir(join(folder, 'cells'))).toSorted(), ['.unfinished-new', '1']);
});

test('every user of the machine may read a version', async (t) => {
  const folder = await makeFolder(t);
  await (await openModelStore(folder)).publish(draftOf());
  const mode = (await stat(join(folder, 'cells', '1'))).mode & 0o777;
  t.is(mode, 0o777 & ~process.umask());
});

test('a file that was changed is refused', async (t) => {
  const folder = await makeFolder(t);
  const store = await openModelStore(folder);
  const manifest = await store.publish(draftOf());
  const path = join(folder, 'cells', '1', 'model.onnx');
  const bytes = await readFile(path);
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  await writeFile(path, bytes);
  await t.throwsAsync(store.readFile(manifest, 'model.onnx'), {
    instanceOf: DomainError,
    code: 'model_failed',
    message:
      'cells@1: model.onnx is not the file that was published; bring that back, or promote another version',
  });
  await rm(path);
  await t.throwsAsync(store.readFile(manifest, 'model.onnx'), { code: 'model_failed' });
});

test('a damaged manifest is refused by name, and hides no other version', async (t) => {
  const folder = await makeFolder(t);
  const store = await openModelStore(folder);
  await store.publish(draftOf());
  await store.publish(draftOf());
  const path = join(folder, 'cells', '1', 'model.json');
  const whole = await readFile(path, 'utf8');
  for (const text of [
    '{',
    '{}',
    whole.replace('"version": 1', '"version": 2'),
    whole.slice(0, -9),
  ]) {
    await writeFile(path, text);
    await t.throwsAsync(store.read('cells@1'), { code: 'model_failed', message: /^cells@1: / });
    t.deepEqual(
      (await store.list()).map(({ version }) => version),
      [2],
    );
  }
});

test('what is not there is named beside what is', async (t) => {
  const store = await openModelStore(await makeFolder(t));
  const unknown = (ref: string, message: string, code = 'model_unknown') =>
    t.throwsAsync(store.resolve(ref), { instanceOf: DomainError, code, message });
  await unknown('', 'there is no model yet; train or import one first');
  await store.publish(draftOf());
  await unknown('nuclei', 'there is no model "nuclei"; there is cells');
  await unknown('cells', 'cells has no live version; it has 1');
  await unknown('cells@3', 'cells has no version 3; it has 1');
  await store.setAlias('cells', 'live', 1);
  t.deepEqual(await store.resolve(''), { name: 'cells', version: 1 });
  await store.publish(draftOf('fields'));
  await unknown('', 'model: expected one of cells, fields, got none', 'option_invalid');
});

test('a name that is a path is refused wherever it comes from', async (t) => {
  const folder = await makeFolder(t);
  const outside = await openModelStore(folder);
  await outside.publish(draftOf('secret'));
  const store = await openModelStore(join(folder, 'models'));
  const refused = { instanceOf: DomainError, code: 'option_invalid' };
  for (const name of ['../secret', '..', 'a/b', 'A', '', '-a', 'a'.repeat(65), 'a\0b']) {
    const selector = { version: 1 };
    if (name !== '') {
      await t.throwsAsync(store.resolve({ name, selector }), refused);
      await t.throwsAsync(store.read({ name, selector }), refused);
    }
    await t.throwsAsync(store.publish(draftOf(name)), refused);
    await t.throwsAsync(store.setAlias(name, 'live', 1), {
      instanceOf: DomainError,
      ...(name === '' ? {} : { code: 'option_invalid' }),
    });
  }
});

test('a draft that does not fit itself is refused with every fault', async (t) => {
  const store = await openModelStore(await makeFolder(t));
  const draft = draftOf();
  const error = await t.throwsAsync(
    store.publish({
      ...draft,
      thresholds: [0.5],
      golden: { frame: new Uint8Array(3), output: [0.1] },
    }),
    { instanceOf: DomainError, code: 'option_invalid' },
  );
  t.regex(error?.message ?? '', /thresholds: expected 4, got 1/);
  t.regex(error?.message ?? '', /golden frame: expected 256 bytes, got 3/);
  t.regex(error?.message ?? '', /golden output: expected 4, got 1/);
  t.deepEqual(await store.names(), []);
});

test('aliases that change at the same moment are all kept', async (t) => {
  const store = await openModelStore(await makeFolder(t));
  for (let version = 1; version <= 3; version += 1) await store.publish(draftOf());
  await Promise.all([
    store.setAlias('cells', 'live', 1),
    store.setAlias('cells', 'previous', 2),
    store.setAlias('cells', 'candidate', 3),
  ]);
  t.deepEqual(await store.aliases('cells'), { live: 1, previous: 2, candidate: 3 });
  await t.throwsAsync(store.setAlias('cells', 'live', 9), { code: 'model_unknown' });
  t.deepEqual(await store.aliases('cells'), { live: 1, previous: 2, candidate: 3 });
});

test('a models folder that cannot be one is named', async (t) => {
  const folder = await makeFolder(t);
  const file = join(folder, 'file');
  await writeFile(file, '');
  for (const path of [file, join(file, 'models')]) {
    const error = await t.throwsAsync(openModelStore(path), {
      instanceOf: DomainError,
      code: 'storage_failed',
    });
    t.true(error?.message.includes(path));
  }
});

test('a disk that refuses a version says so without a path, and nothing is left', async (t) => {
  const folder = await makeFolder(t);
  const store = await openModelStore(folder);
  // A file where the model's folder would be: no user, root neither, can write below it.
  await writeFile(join(folder, 'cells'), '');
  const error = await t.throwsAsync(store.publish(draftOf()), {
    instanceOf: DomainError,
    code: 'storage_failed',
  });
  t.false(error?.message.includes(folder));
  t.deepEqual(await store.names(), []);
});
