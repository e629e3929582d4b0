import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import sharp from 'sharp';
import { readPredictions } from '../../src/evaluation/index.js';
import type { Frame } from '../../src/frames/index.js';
import { runCli } from '../cli/run-cli.js';
import { makeFolder } from '../make-folder.js';
import { sharedData } from '../shared-data.js';
import { linkDataset } from './folders.js';
import { startServe } from './serve.js';

const env = { CYTOSTREAM_TRAINING_THREADS: '1' };
const labels = ['round', 'long', 'dead'];

/** Pixels of a plane, brighter where its label shows: the first in nuclei, the second in actin. */
function planeOf(number: number, at: number, { width, height }: { width: number; height: number }) {
  const base = number % 3 === at ? 160 : 20;
  return Uint8Array.from(
    { length: width * height },
    (_, i) => base + (Math.imul(i + 1, Math.imul(number * 2 + at + 1, 2654435761)) >>> 26),
  );
}

/** Frames of 80×60 px, of a channel that the Atlas has and one that it has not. */
async function writeOwn(folder: string, frameCount: number): Promise<string> {
  await mkdir(join(folder, 'train'), { recursive: true });
  const size = { width: 80, height: 60 };
  const rows = ['Id,Target'];
  for (let number = 0; number < frameCount; number += 1) {
    for (const [at, channel] of ['blue', 'actin'].entries()) {
      await sharp(planeOf(number, at, size), { raw: { ...size, channels: 1 } })
        .toColourspace('b-w')
        .toFile(join(folder, 'train', `own${number}_${channel}.png`));
    }
    rows.push(`own${number},${number % 3}`);
  }
  await writeFile(join(folder, 'train.csv'), `${rows.join('\n')}\n`);
  await writeFile(join(folder, 'labels.txt'), `${labels.join('\n')}\n`);
  return folder;
}

test('two channels of 64x48 px and three own labels train, publish, evaluate, serve and stream', async (t) => {
  const folder = await makeFolder(t);
  const data = await writeOwn(join(folder, 'own'), 24);
  const models = ['--models', join(folder, 'models')];
  const runs = ['--runs', join(folder, 'runs')];
  const { address, client } = await startServe(t, [...models, ...runs, '--data-roots', folder]);
  const train = ['train', '--data', data, '--network', 'resnet-small', '--batch', '4'];
  const own = ['--size', '64x48', '--channels', 'blue,actin', '--resize', 'area'];
  const named = ['--labels', join(data, 'labels.txt')];
  const server = ['--server', address];
  const trained = await runCli([
    ...[...train, '--model', 'cells', '--epochs', '2', '--augmentation', 'cells'],
    ...[...own, ...named, ...server],
  ]);
  t.is(trained.exitCode, 0, trained.stderr);
  t.regex(trained.stdout, /^cells@1 is live on /m);
  const spec = { channels: ['nucleus', 'actin'], widthPx: 64, heightPx: 48, resize: 'area' };
  const model = await client.getModel('cells');
  t.deepEqual([model.inputSpec, model.labels], [spec, labels]);
  const [run] = await client.listRuns();
  t.like(run?.spec, { inputSpec: spec, labels });
  const shown = await runCli(['runs', 'show', run?.id ?? '', ...runs]);
  t.regex(
    shown.stdout,
    /^size +64x48\nchannels +nucleus,actin\nresize +area\nlabels +round, long, dead$/m,
  );

  // A frame of its own size, and one of another that is decoded and resized.
  const raw: Frame = {
    ...{ id: 'raw', widthPx: 64, heightPx: 48, pixelType: 'uint8', significantBits: 0 },
    encoding: 'raw',
    planes: ['actin', 'blue'].map((channel) => ({
      channel,
      bytes: new Uint8Array(64 * 48).fill(9),
    })),
  };
  const read = async (channel: string) => readFile(join(data, 'train', `own1_${channel}.png`));
  const planes = [
    { channel: 'nucleus', bytes: await read('blue') },
    { channel: 'actin', bytes: await read('actin') },
  ];
  const png: Frame = { ...raw, id: 'png', widthPx: 0, heightPx: 0, encoding: 'png', planes };
  const told: unknown[] = [];
  for await (const reply of client.classify({ model: 'cells', delivery: 'inOrder' }, [raw, png])) {
    if (reply.kind === 'model') told.push(reply.model.labels);
    else {
      const { frameId, outcome, probabilities } = reply.prediction;
      told.push([frameId, outcome, probabilities.length]);
    }
  }
  t.deepEqual(told, [labels, ['raw', 'ok', 3], ['png', 'ok', 3]]);

  const evaluate = ['evaluate', '--data', data, '--model', 'cells'];
  const onServer = await runCli([...evaluate, '--json', ...server]);
  t.is(onServer.exitCode, 0, onServer.stderr);
  const out = join(folder, 'report');
  const inPlace = await runCli([...evaluate, '--json', '--out', out, '--explain', ...models]);
  t.is(inPlace.exitCode, 0, inPlace.stderr);
  t.is(JSON.parse(inPlace.stdout).frameCount, 24);
  t.is(JSON.parse(inPlace.stdout).macroF1, JSON.parse(onServer.stdout).macroF1);
  t.true((await readdir(out)).includes('report.html'));
  const predictions = join(folder, 'predictions.csv');
  const classify = ['classify', '--data', data, '--model', 'cells', '--out', predictions];
  const classified = await runCli([...classify, ...server]);
  t.is(classified.exitCode, 0, classified.stderr);
  t.is((await readPredictions(predictions)).labels.length, 3);

  // The simulator knows no actin.
  const simulated = await runCli(['simulate', '--model', 'cells', '--frames', '3', ...server]);
  t.is(simulated.exitCode, 1);
  t.regex(
    simulated.stderr,
    /expected a model of channels that are simulated .*, it takes nucleus, actin/,
  );

  const more = [
    ...train,
    '--model',
    'cells',
    '--epochs',
    '1',
    '--from',
    'cells',
    ...models,
    ...runs,
  ];
  const continued = await runCli(more, { env });
  t.is(continued.exitCode, 0, continued.stderr);
  t.deepEqual((await client.getModel('cells@2')).inputSpec, { ...spec, resize: 'area' });
  const other = await runCli([...more, '--size', '64'], { env });
  t.is(other.exitCode, 1, other.stderr);
  t.regex(
    other.stderr,
    /expected that of the parent cells@1, 64x48 px of nucleus, actin, area, got 64x64 px of nucleus, actin, area/,
  );

  const eda = ['eda', '--data', data, '--out', join(folder, 'eda'), '--channels', 'blue,actin'];
  const explored = await runCli([...eda, ...named]);
  t.is(explored.exitCode, 0, explored.stderr);
  t.regex(explored.stdout, /^24 frames, 1\.00 labels a frame, 3 of 3 labels present$/m);
});

test('labels beyond those of the file, and planes that are missing, are told before a step', async (t) => {
  const folder = await makeFolder(t);
  const data = await writeOwn(join(folder, 'own'), 6);
  const file = join(folder, 'two.txt');
  await writeFile(file, 'round\nlong\n');
  const places = ['--models', join(folder, 'models'), '--runs', join(folder, 'runs')];
  const train = ['train', '--data', data, '--model', 'cells', '--labels', file, ...places];
  const few = await runCli([...train, '--channels', 'blue,actin'], { env });
  t.is(few.exitCode, 1);
  t.regex(few.stderr, /train\.csv line 4 \(own2\) has label "2", expected 0 to 1/);
  const usual = await runCli(train, { env });
  t.regex(usual.stderr, /train\/own0_red\.png is missing/);
  const nothing = await runCli([...train, '--size', '0'], { env });
  t.is(nothing.exitCode, 2);
  t.regex(nothing.stderr, /Expected WIDTHxHEIGHT or an edge/);
});

test('a microscope sends a model the planes that it takes', async (t) => {
  const folder = await makeFolder(t);
  const [data, three] = [join(folder, 'cells'), join(folder, 'three')];
  await runCli(['simulate', '--out', data, '--frames', '12', '--size', '64']);
  await linkDataset(data, three, (rows) => rows, ['red', 'green', 'blue']);
  const models = ['--models', join(folder, 'models')];
  const size = ['--network', 'resnet-small', '--epochs', '1', '--batch', '8', '--size', '32'];
  const trained = await runCli(
    [
      ...['train', '--data', three, '--model', 'cells', '--channels', 'red,green,blue', ...size],
      ...[...models, '--runs', join(folder, 'runs')],
    ],
    { env },
  );
  t.is(trained.exitCode, 0, trained.stderr);
  const { address } = await startServe(t, models);
  const words = ['simulate', '--server', address, '--model', 'cells', '--frames', '5', '--json'];
  const streamed = await runCli(words);
  t.is(streamed.exitCode, 0, streamed.stderr);
  t.like(JSON.parse(streamed.stdout), { frames: 5, ok: 5 });
});

test('real fields without yellow planes train a model of three channels', async (t) => {
  if (sharedData === null) {
    t.log('SKIPPED: no real frames here');
    t.pass();
    return;
  }
  const folder = await makeFolder(t);
  const data = join(sharedData, 'hpa-dictionary');
  const places = ['--models', join(folder, 'models'), '--runs', join(folder, 'runs')];
  const words = ['--channels', 'red,green,blue', '--size', '32', '--resize', 'area'];
  const { exitCode, stderr, stdout } = await runCli(
    [
      ...['train', '--data', data, '--model', 'cells', '--network', 'resnet-small', ...words],
      ...['--epochs', '1', '--batch', '16', ...places],
    ],
    { env },
  );
  t.is(exitCode, 0, stderr);
  t.regex(stdout, /^cells@1 is live/m);
});
