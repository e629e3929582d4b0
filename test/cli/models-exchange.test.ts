import { readFileSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openModelStore } from '../../src/models/index.js';
import { packageRoot } from '../../src/package-root.js';
import { furthest } from '../interchange/trained.js';
import { makeFolder } from '../make-folder.js';
import { runCli } from './run-cli.js';

const kerasFile = join(packageRoot, 'test/golden/keras/keras3.keras');

async function folders(t: ExecutionContext) {
  const folder = await makeFolder(t);
  const labels = join(folder, 'labels.txt');
  writeFileSync(labels, 'Nucleus\nCytosol\nGolgi\nCentrosome\n');
  const models = join(folder, 'models');
  const describe = ['--labels', labels, '--channels', 'red,green,blue', '--models', models];
  const run = async (...args: readonly string[]) => {
    const { stdout, stderr, exitCode } = await runCli(['models', ...args]);
    t.is(exitCode, 0, stderr);
    return stdout;
  };
  return { folder, models, describe, run };
}

test('a Keras model is imported, exported to TensorFlow.js and imported again, the same', async (t) => {
  const { folder, models, describe, run } = await folders(t);
  const out = join(folder, 'tfjs');
  t.regex(await run('import', '--name', 'small', '--keras', kerasFile, ...describe), /small@1/);
  t.regex(
    await run('export', 'small@1', '--format', 'tfjs', '--out', out, '--models', models),
    /^exported small@1: group1-shard1of1\.bin, labels\.txt, model\.json\n$/,
  );
  t.deepEqual((await readdir(out)).sort(), ['group1-shard1of1.bin', 'labels.txt', 'model.json']);
  t.regex(
    await run('import', '--name', 'small', '--tfjs', out, '--resize', 'area', ...describe),
    /small@2/,
  );

  const store = await openModelStore(models);
  const [first, second] = [await store.read('small@1'), await store.read('small@2')];
  t.is(furthest(second.goldenOutput, first.goldenOutput), 0);
  t.deepEqual(first.labels, ['Nucleus', 'Cytosol', 'Golgi', 'Centrosome']);
  const { widthPx, heightPx, channels } = first.inputSpec;
  t.deepEqual([widthPx, heightPx, channels], [12, 14, ['red', 'green', 'blue']]);
  t.deepEqual([first.inputSpec.resize, second.inputSpec.resize], ['bilinear', 'area']);
  t.is((await store.aliases('small')).candidate, 2);
});

test('an ONNX export is the graph that is served, byte for byte', async (t) => {
  const { folder, models, describe, run } = await folders(t);
  const out = join(folder, 'onnx');
  await run('import', '--name', 'small', '--keras', kerasFile, ...describe);
  await run('export', 'small@1', '--out', out, '--models', models);
  const store = await openModelStore(models);
  const served = await store.readFile(await store.read('small@1'), 'model.onnx');
  t.deepEqual(new Uint8Array(await readFile(join(out, 'model.onnx'))), new Uint8Array(served));
  t.is(readFileSync(join(out, 'labels.txt'), 'utf8'), 'Nucleus\nCytosol\nGolgi\nCentrosome\n');

  const again = await runCli(['models', 'export', 'small@1', '--out', out, '--models', models]);
  t.is(again.exitCode, 2);
  t.regex(again.stderr, /expected a folder that is not there yet/);
});

test('what does not fit is told before anything is written', async (t) => {
  const { models, describe } = await folders(t);
  const unfit = join(packageRoot, 'test/golden/keras/unfit.keras');
  const cases: readonly (readonly [number, readonly string[], RegExp])[] = [
    [2, describe, /expected one of --onnx, --keras and --tfjs/],
    [2, [...describe, '--keras', kerasFile, '--onnx', kerasFile], /expected one of --onnx/],
    [
      2,
      ['--keras', kerasFile, '--models', models],
      /--channels: expected 3 as in the file, got 4; --labels: expected 4 as in the file, got 28/,
    ],
    [1, [...describe, '--keras', unfit], /unfit\.keras: layer 1 \(Conv2D "padded"\): padding/],
  ];
  for (const [expected, args, message] of cases) {
    const { stderr, exitCode } = await runCli(['models', 'import', '--name', 'small', ...args]);
    t.is(exitCode, expected, stderr);
    t.regex(stderr, message);
  }
  t.deepEqual(await (await openModelStore(models)).names(), []);
});
