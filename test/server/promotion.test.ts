import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { connect } from '../../src/client/index.js';
import type { ConfigInput } from '../../src/config.js';
import { frameKeys, openDataset } from '../../src/dataset/index.js';
import { DomainError } from '../../src/errors.js';
import { silentLog } from '../../src/log.js';
import { openModelStore, type SeenFrames } from '../../src/models/index.js';
import { startServer } from '../../src/server.js';
import { runCli } from '../cli/run-cli.js';
import { makeFolder } from '../make-folder.js';
import { draftOf } from '../models/model-fixtures.js';
import { smallConfig } from '../small-server.js';
import { writeSmallDataset } from '../training/small-dataset.js';

/**
 * A server with two versions, the first of which is live, and frames that the second
 * answers worse: at a bias of -9 no label is ever given, at 0 all four are.
 */
async function openServer(
  t: ExecutionContext,
  config: ConfigInput = {},
  seenBy: (data: string) => Promise<SeenFrames | null> = async () => null,
) {
  const folder = await makeFolder(t);
  const data = await writeSmallDataset(join(folder, 'held-out'), 4, { labels: [0, 1] });
  const settings = smallConfig(folder, {
    ...{ engineThreads: 1, engineWorkers: 1 },
    ...config,
    ...('gateData' in config ? { gateData: data } : {}),
  });
  const store = await openModelStore(settings.modelsDir);
  const seen = await seenBy(data);
  for (const bias of [0, -9, 0]) await store.publish({ ...draftOf('cells', { bias }), seen });
  await store.setAlias('cells', 'live', 1);
  const server = await startServer(settings, { log: silentLog });
  const address = `127.0.0.1:${server.port}`;
  const client = connect(address);
  t.teardown(async () => {
    client.close();
    await server.close();
  });
  return { client, address, store, folder, registry: server.parts.registry };
}

const gate = { dataPath: 'held-out', margin: 0.01, metric: 'macro_f1' as const };
const refused = { instanceOf: DomainError, code: 'gate_refused' };

test('a version that does not beat the live one is refused with the numbers, and nothing changes', async (t) => {
  const { client, store } = await openServer(t);
  const error = await t.throwsAsync(client.promote('cells', 2, { gate }), {
    ...refused,
    message:
      /^cells@2 stays a candidate: macro F1 of all labels 0\.0000 on "held-out" \(4 frames\), cells@1 which is live has 0\.\d{4}, expected a gain of at least 0\.01, got -0\.\d{4}$/,
  });
  t.is(error?.name, 'DomainError');
  t.deepEqual(await store.aliases('cells'), { live: 1 });
  t.is((await client.getModel('cells')).version, 1);

  // The same version without a gate is the operator's to promote; then the other one beats it.
  t.is((await client.promote('cells', 2)).version, 2);
  t.is((await client.promote('cells', 1, { gate })).version, 1);
  t.deepEqual(await store.aliases('cells'), { live: 1, previous: 2 });
});

test('a gate of the configuration holds for everyone, and not for a rollback', async (t) => {
  const { client, store } = await openServer(t, { gateData: true, gateMetric: 'macro_f1' });
  await t.throwsAsync(client.promote('cells', 2), refused);
  // As good as the live one is not better by the margin; the live one may be named again.
  await t.throwsAsync(client.promote('cells', 3), refused);
  t.is((await client.promote('cells', 1)).version, 1);
  await store.changeAliases('cells', () => ({ live: 1, previous: 2 }));
  t.is((await client.rollback('cells')).version, 2);
  // What a caller asks for comes on top: it cannot take the place of the server's own.
  t.is((await client.promote('cells', 3, { gate: { ...gate, margin: 0 } })).version, 3);
});

test('a gate without a margin lets through what is as good', async (t) => {
  const { client } = await openServer(t);
  t.is((await client.promote('cells', 3, { gate: { ...gate, margin: 0 } })).version, 3);
});

test('what was judged is what is replaced', async (t) => {
  const { registry } = await openServer(t);
  await t.throwsAsync(registry.promote('cells', 3, { live: 2 }), {
    ...refused,
    message: /judged against version 2, and version 1 is live by now/,
  });
  t.is((await registry.promote('cells', 3, { live: 1 })).manifest.version, 3);
});

test('a gate that cannot be is refused before anything is judged', async (t) => {
  const { client } = await openServer(t);
  const invalid = { instanceOf: DomainError, code: 'option_invalid' };
  await t.throwsAsync(client.promote('cells', 2, { gate: { ...gate, dataPath: '/etc' } }), invalid);
  await t.throwsAsync(client.promote('cells', 2, { gate: { ...gate, dataPath: '' } }), invalid);
  await t.throwsAsync(client.promote('cells', 2, { gate: { ...gate, margin: 1.5 } }), invalid);
});

test('models promote --gate-data judges in place and on a server, and fails with the numbers', async (t) => {
  const { address, folder, store } = await openServer(t);
  const inPlace = await runCli([
    ...['models', 'promote', 'cells@2', '--models', join(folder, 'models')],
    ...['--gate-data', join(folder, 'held-out'), '--gate-metric', 'macro_f1'],
  ]);
  t.is(inPlace.exitCode, 1);
  t.regex(inPlace.stderr, /cells@2 stays a candidate: .* expected a gain of at least 0\.01/);
  const onServer = await runCli([
    ...['models', 'promote', 'cells@3', '--server', address],
    ...['--gate-data', 'held-out', '--gate-margin', '0'],
  ]);
  t.is(onServer.exitCode, 0);
  t.is((await store.aliases('cells')).live, 3);
});

test('a gate judges by frames that neither version has seen, and lets nothing through without any', async (t) => {
  const seenOf = (count: number) => async (data: string) => {
    const dataset = await openDataset(data);
    const keys = await frameKeys(dataset, dataset.frames.slice(0, count));
    return { training: keys, validation: [], heldOut: [], isParentUnknown: false };
  };
  const some = await openServer(t, {}, seenOf(1));
  await t.throwsAsync(some.client.promote('cells', 2, { gate }), {
    ...refused,
    message: /on "held-out" \(3 of 4 frames, those that neither has seen\), cells@1 which is live/,
  });
  const all = await openServer(t, {}, seenOf(4));
  await t.throwsAsync(all.client.promote('cells', 3, { gate: { ...gate, margin: 0 } }), {
    ...refused,
    message:
      'cells@3 stays a candidate: expected frames that are unseen for cells@1 and cells@3, got none among 4',
  });
});
