import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import type { DomainError } from '../../src/errors.js';
import { createMicroscope } from '../../src/simulator/index.js';
import { runCli } from '../cli/run-cli.js';
import { makeFolder } from '../make-folder.js';
import { assertSamePredictions } from './predictions.js';
import { startServe } from './serve.js';
import { importUntrained, untrainedOnnx } from './untrained.js';

const frames = (frameCount: number, sizePx = 64) =>
  createMicroscope({ seed: 7, sizePx, frameCount, framesPerSecond: null });

test('simulated frames get the same probabilities from a server as in place', async (t) => {
  const folder = await makeFolder(t);
  const models = join(folder, 'models');
  await importUntrained(models, 1);
  const data = join(folder, 'cells');
  await runCli(['simulate', '--out', data, '--frames', '40', '--size', '160']);
  const server = await startServe(t, ['--models', models]);

  const [one, two] = [join(folder, 'in-place.csv'), join(folder, 'streamed.csv')];
  const words = ['classify', '--data', data, '--model', 'cells'];
  const inPlace = await runCli([...words, '--models', models, '--out', one]);
  t.is(inPlace.exitCode, 0, inPlace.stderr);
  t.regex(inPlace.stdout, /^cells@1 classified 40 frames into /);
  const streamed = await runCli([...words, '--server', server.address, '--out', two]);
  t.is(streamed.exitCode, 0, streamed.stderr);
  t.regex(streamed.stdout, /^cells@1 classified 40 frames into /);
  await assertSamePredictions(t, { one, two, tolerance: 1e-6 });
});

test('a promotion while frames stream loses none, and later frames get the new version', async (t) => {
  const folder = await makeFolder(t);
  const models = join(folder, 'models');
  await importUntrained(models, 2);
  const { client } = await startServe(t, ['--models', models]);

  // The stream goes on until the new version has answered some frames.
  let fromSecond = 0;
  async function* untilSwapped() {
    for await (const { frame } of frames(5000)) {
      if (fromSecond >= 20) return;
      yield frame;
    }
  }
  let sent = 0;
  async function* counted() {
    for await (const frame of untilSwapped()) {
      sent += 1;
      yield frame;
    }
  }
  const outcomes = new Map<string, number>();
  const versions: number[] = [];
  const announced: number[] = [];
  let promotion: Promise<unknown> | null = null;
  for await (const reply of client.classify({ model: 'cells', delivery: 'inOrder' }, counted())) {
    if (reply.kind === 'model') {
      announced.push(reply.model.version);
      continue;
    }
    const { frameId, outcome, version, message } = reply.prediction;
    t.is(outcome, 'ok', `${frameId}: ${message}`);
    t.false(outcomes.has(frameId), `${frameId} was answered twice`);
    outcomes.set(frameId, version);
    versions.push(version);
    if (version === 2) fromSecond += 1;
    if (versions.length === 20) promotion = client.promote('cells', 2);
  }
  await promotion;
  t.is(outcomes.size, sent);
  t.deepEqual(announced, [1, 2]);
  t.deepEqual([...new Set(versions)], [1, 2]);
  t.is((await client.getModel('cells')).version, 2);
  t.is((await client.rollback('cells')).version, 1);
});

test('a model made elsewhere is imported, promoted and rolled back on the command line', async (t) => {
  const folder = await makeFolder(t);
  const place = ['--models', join(folder, 'models')];
  const onnx = join(folder, 'cells.onnx');
  const run = async (...words: string[]) => {
    const { stdout, stderr, exitCode } = await runCli(['models', ...words, ...place]);
    t.is(exitCode, 0, stderr);
    return stdout;
  };
  for (const version of [1, 2]) {
    await writeFile(onnx, untrainedOnnx(version));
    t.is(
      await run('import', '--name', 'cells', '--onnx', onnx),
      `imported cells@${version}; make it live with: npx cytostream models promote cells@${version}\n`,
    );
    t.is(
      await run('promote', `cells@${version}`),
      `cells@${version} is live; undo with: npx cytostream models rollback cells\n`,
    );
  }
  t.is(await run('rollback', 'cells'), 'cells@1 is live again\n');
  const listed: { version: number; aliases: string[] }[] = JSON.parse(await run('list', '--json'));
  t.deepEqual(listed.map(({ version, aliases }) => [version, aliases]).sort(), [
    [1, ['live']],
    [2, ['previous']],
  ]);
  t.regex(await run('show', 'cells@2'), /^model +cells@2\naliases +previous\n/);
});

test('a promotion on the command line reaches a server that is running', async (t) => {
  const folder = await makeFolder(t);
  const models = join(folder, 'models');
  await importUntrained(models, 2);
  const { client } = await startServe(t, ['--models', models]);
  t.is((await client.getModel('cells')).version, 1);

  const promoted = await runCli(['models', 'promote', 'cells@2', '--models', models]);
  t.is(promoted.exitCode, 0, promoted.stderr);
  t.is(promoted.stdout, 'cells@2 is live; undo with: npx cytostream models rollback cells\n');
  // The server looks once a second; a stream is answered all the while.
  const seen = new Set<number>();
  const untilSecond = async function* () {
    for await (const { frame } of createMicroscope({
      seed: 1,
      sizePx: 32,
      frameCount: 1000,
      framesPerSecond: 20,
    })) {
      if (seen.has(2)) return;
      yield frame;
    }
  };
  for await (const reply of client.classify({ model: 'cells' }, untilSecond())) {
    if (reply.kind === 'prediction') seen.add(reply.prediction.version);
  }
  t.true(seen.has(2));
});

test('SIGTERM drains: what was read is answered, the rest is told to go elsewhere, exit code 0', async (t) => {
  const folder = await makeFolder(t);
  const models = join(folder, 'models');
  await importUntrained(models, 1);
  const server = await startServe(t, ['--models', models]);

  // The client does not stop by itself: it goes on sending until the server ends the stream.
  const sent: string[] = [];
  async function* endless() {
    for await (const { frame } of frames(100_000)) {
      sent.push(frame.id);
      yield frame;
    }
  }
  const answered: string[] = [];
  const error = await t.throwsAsync(async () => {
    const options = { model: 'cells', delivery: 'inOrder' } as const;
    for await (const reply of server.client.classify(options, endless())) {
      if (reply.kind !== 'prediction') continue;
      t.is(reply.prediction.outcome, 'ok', reply.prediction.message);
      answered.push(reply.prediction.frameId);
      if (answered.length === 30) server.child.kill('SIGTERM');
    }
  });
  t.is((error as DomainError).code, 'draining');
  t.regex(error?.message ?? '', /send the frames without an answer to another/);
  // Each once, in order, without a gap: the client knows exactly which to send elsewhere.
  t.true(answered.length >= 30);
  t.deepEqual(answered, sent.slice(0, answered.length));
  const end = await server.ended;
  t.is(end.signal, null);
  t.is(end.exitCode, 0, end.stderr);
  t.regex(end.stderr, /^draining after SIGTERM/m);
  t.regex(end.stderr, /^drained$/m);
});

test('an idle server ends at once on SIGTERM, with exit code 0', async (t) => {
  const folder = await makeFolder(t);
  const server = await startServe(t, ['--models', join(folder, 'models')]);
  server.child.kill('SIGTERM');
  const end = await server.ended;
  t.is(end.exitCode, 0, end.stderr);
});

test('a dataset outside the data roots of a server is refused', async (t) => {
  const folder = await makeFolder(t);
  const models = join(folder, 'models');
  const roots = ['--data-roots', join(folder, 'data'), '--runs', join(folder, 'runs')];
  await runCli(['simulate', '--out', join(folder, 'data'), '--frames', '2', '--size', '32']);
  await runCli(['simulate', '--out', join(folder, 'other'), '--frames', '2', '--size', '32']);
  const server = await startServe(t, ['--models', models, ...roots]);
  for (const path of [join(folder, 'other'), join(folder, 'data/../other'), '/etc']) {
    const words = ['train', '--data', path, '--model', 'cells', '--server', server.address];
    const { stderr, exitCode } = await runCli(words);
    t.is(exitCode, 1, path);
    t.regex(stderr, /^cytostream: [^\n]*(dataPath|data root)[^\n]*\n$/);
  }
  t.deepEqual(await server.client.listRuns(), []);
});

test('a port in use is told in one line', async (t) => {
  const folder = await makeFolder(t);
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  t.teardown(() => taken.close());
  const { port } = taken.address() as { port: number };
  const words = ['serve', '--host', '127.0.0.1', '--http-port', '0', '--port', String(port)];
  const { stderr, exitCode } = await runCli([...words, '--models', join(folder, 'models')], {
    cwd: folder,
  });
  t.is(exitCode, 1);
  const [line] = stderr.split('\n').filter((text) => text.startsWith('cytostream: '));
  t.regex(line ?? stderr, new RegExp(`${port}`));
  t.regex(line ?? stderr, /in use/);
});

test('a models folder that cannot be written is told in one line', async (t) => {
  const folder = await makeFolder(t);
  const models = join(folder, 'not-a-folder');
  await writeFile(models, 'a file where a folder should be');
  for (const verb of ['serve', 'models list']) {
    const { stdout, stderr, exitCode } = await runCli([...verb.split(' '), '--models', models], {
      cwd: folder,
    });
    t.is(exitCode, 1, `${verb}: ${stdout}${stderr}`);
    t.regex(stderr, /^cytostream: [^\n]*model[^\n]*$/m);
    t.notRegex(stderr, /\n\s+at /);
  }
});

test('an unknown model is told with what there is', async (t) => {
  const folder = await makeFolder(t);
  const models = join(folder, 'models');
  await importUntrained(models, 1);
  const data = join(folder, 'cells');
  await runCli(['simulate', '--out', data, '--frames', '2', '--size', '32']);
  const server = await startServe(t, ['--models', models]);
  for (const place of [
    ['--models', models],
    ['--server', server.address],
  ]) {
    for (const model of ['nuclei', 'cells@7']) {
      const words = ['classify', '--data', data, '--model', model, ...place];
      const { stderr, exitCode } = await runCli(words, { cwd: folder });
      t.is(exitCode, 1);
      t.regex(stderr, /^cytostream: [^\n]+\n$/);
      t.true(stderr.includes(model.split('@')[0] ?? model), stderr);
    }
  }
});
