import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { connect } from '../../src/client/index.js';
import { DomainError } from '../../src/errors.js';
import { silentLog } from '../../src/log.js';
import { startServer } from '../../src/server.js';
import { simulateCells, writeSimulatedDataset } from '../../src/simulator/index.js';
import { runCli } from '../cli/run-cli.js';
import { makeFolder } from '../make-folder.js';
import { smallConfig } from '../small-server.js';

test('a model is trained over gRPC, watched again, served and evaluated, with the real engine', async (t) => {
  t.timeout(280_000);
  const folder = await makeFolder(t);
  await writeSimulatedDataset(join(folder, 'cells'), { frameCount: 10, sizePx: 64, seed: 1 });
  const config = smallConfig(folder, { engineThreads: 1 });
  const server = await startServer(config, { log: silentLog });
  const client = connect(`127.0.0.1:${server.port}`);
  t.teardown(async () => {
    client.close();
    await server.close();
  });

  // The caller leaves after the first event; the run goes on.
  let runId = '';
  const spec = {
    dataPath: 'cells',
    model: 'cells',
    epochs: 1,
    batchSize: 4,
    promote: true,
    heldOut: 0.3,
  };
  for await (const event of client.train(spec)) {
    runId = event.runId;
    break;
  }
  const second = await t.throwsAsync(
    async () => {
      for await (const _event of client.train(spec));
    },
    { instanceOf: DomainError },
  );
  t.is(second.code, 'overloaded', 'one run at a time holds the device');

  const kinds: string[] = [];
  let number = 0;
  for await (const event of client.watchRun(runId)) {
    number += 1;
    t.is(event.number, number, 'numbered without gaps');
    kinds.push(event.kind);
    if (event.kind === 'started') t.is(event.parameterCount, 5_217_340);
    if (event.kind === 'ended') t.is(event.state, 'finished', event.reason);
  }
  t.is(kinds[0], 'started');
  t.true(kinds.includes('published'));
  t.is(kinds.at(-1), 'ended');
  t.is((await client.getRun(runId)).publishedVersion, 1);

  const model = await client.getModel('cells');
  t.is(model.state, 'ready');
  t.is(model.runId, runId);
  const frame = simulateCells({ seed: 5, labels: [0], sizePx: 128 });
  const { prediction, model: told } = await client.classifyFrame(frame, { model: 'cells' });
  t.is(prediction.outcome, 'ok');
  t.true((model.drift?.threshold ?? 0) > 0);
  t.true(Math.abs((told?.distanceThreshold ?? 0) - (model.drift?.threshold ?? 0)) < 1e-6);
  t.true((prediction.distance ?? 0) > 0);
  t.is(prediction.probabilities.length, 28);

  const asking = { ...simulateCells({ seed: 5, labels: [0], sizePx: 128 }) };
  const wish = { labels: model.labels.slice(0, 2).toReversed(), embedding: true };
  const why = await client.classifyFrame({ ...asking, explain: wish }, { model: 'cells' });
  t.deepEqual(why.prediction.probabilities, prediction.probabilities);
  const { explanation } = why.prediction;
  t.deepEqual(
    explanation?.maps.map(({ labelIndex, levels }) => [labelIndex, levels.length]),
    [
      [1, 25 * 25],
      [0, 25 * 25],
    ],
  );
  t.like(explanation?.maps[0], { widthPx: 25, heightPx: 25 });
  t.like(explanation?.maps[0]?.box, { left: 14 / 128, bottom: 114 / 128 });
  t.is(explanation?.embedding.length, 128);
  t.is(prediction.explanation, undefined);

  const replies = [];
  for await (const reply of client.evaluate({ dataPath: 'cells', model: 'cells' })) {
    replies.push(reply);
  }
  t.like(replies.at(-1), { kind: 'report', modelName: 'cells', modelVersion: 1 });
  t.like(replies.at(-1), { report: { frameCount: 10 } });
  const last = replies.at(-1);
  const share = last?.kind === 'report' ? last.report.drift?.beyondShare : undefined;
  t.true(share !== undefined && share <= 1, `${share}`);

  // Of ten frames five trained, two validated and three were held out.
  const seen = { part: 'all', datasetFrameCount: 10, isParentUnknown: false } as const;
  const counts = { trainedOn: 5, validatedOn: 2, heldOut: 3 };
  t.like(last, { report: { seen: { ...seen, counts } } });
  const new3 = { dataPath: 'cells', model: 'cells', part: 'unseen' } as const;
  for await (const reply of client.evaluate(new3)) {
    if (reply.kind !== 'report') continue;
    t.is(reply.report.frameCount, 3);
    t.like(reply.report.seen, {
      part: 'unseen',
      counts: { ...counts, trainedOn: 0, validatedOn: 0 },
    });
  }
  // The page of a report from a server has the curves of the run there.
  const [out, address] = [join(folder, 'report'), `127.0.0.1:${server.port}`];
  const words = ['evaluate', '--data', 'cells', '--model', 'cells', '--server', address];
  const asked = await runCli([...words, '--out', out]);
  t.is(asked.exitCode, 0, asked.stderr);
  t.regex(asked.stdout, /CAUTION: the version was trained on 5 of the 10 frames, and 2 chose/);
  const html = await readFile(join(out, 'report.html'), 'utf8');
  t.regex(html, /<p class="caution">CAUTION: the version was trained on 5 of the 10 frames/);
  t.true(html.includes('Its training: Loss'));

  const { text } = await server.parts.metrics.expose();
  t.regex(text, /cytostream_distance_ratio_count\{model="cells",version="1"\} 2\n/);
  t.regex(text, /cytostream_run_events_total\{kind="published"\} 1/);
});
