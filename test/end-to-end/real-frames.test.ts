import { join } from 'node:path';
import test from 'ava';
import { runCli } from '../cli/run-cli.js';
import { makeFolder } from '../make-folder.js';
import { sharedData } from '../shared-data.js';
import { linkDataset, spread } from './folders.js';
import { assertSamePredictions } from './predictions.js';
import { startServe } from './serve.js';

test('two epochs on real cells, promoted, served: real fields stream as they classify in place', async (t) => {
  if (sharedData === null) {
    t.log('SKIPPED: the shared data is absent');
    t.pass();
    return;
  }
  // Its training stands back behind all tests beside it.
  t.timeout(600_000);
  const folder = await makeFolder(t);
  const [models, runs] = [join(folder, 'models'), join(folder, 'runs')];
  const [cells, fields] = [join(folder, 'cells'), join(folder, 'fields')];
  await linkDataset(join(sharedData, 'hpa-cells'), cells, (rows) => spread(rows, 96));
  await linkDataset(join(sharedData, 'hpa-fields'), fields, (rows) => rows.slice(0, 40));

  // The same model twice: the first version is live at once, the second is promoted.
  const train = ['train', '--data', cells, '--model', 'cells', '--models', models, '--runs', runs];
  const size = ['--epochs', '2', '--batch', '32'];
  const trained = await runCli([...train, ...size]);
  t.is(trained.exitCode, 0, trained.stderr);
  t.regex(
    trained.stdout,
    /^run \S+: seed-cnn, 5,217,340 parameters, \d+ frames train, \d+ validate$/m,
  );
  t.regex(trained.stdout, /^epoch 1\/2 {2}loss \d+\.\d{4} {2}validation loss /m);
  t.regex(trained.stdout, /^epoch 2\/2 /m);
  t.regex(
    trained.stdout,
    /^trained cells@1: macro F1, labels present \d\.\d{4}, binary accuracy /m,
  );
  t.regex(trained.stdout, /^cells@1 is live; serve it with: npx cytostream serve$/m);

  const server = await startServe(t, ['--models', models, '--runs', runs]);
  const [one, two] = [join(folder, 'in-place.csv'), join(folder, 'streamed.csv')];
  const words = ['classify', '--data', fields, '--model', 'cells'];
  const inPlace = await runCli([...words, '--models', models, '--out', one]);
  t.is(inPlace.exitCode, 0, inPlace.stderr);
  const streamed = await runCli([...words, '--server', server.address, '--out', two]);
  t.is(streamed.exitCode, 0, streamed.stderr);
  await assertSamePredictions(t, { one, two, tolerance: 1e-6 });

  const evaluated = await runCli([
    'evaluate',
    '--data',
    fields,
    '--model',
    'cells',
    '--models',
    models,
    '--json',
  ]);
  t.is(evaluated.exitCode, 0, evaluated.stderr);
  const report = JSON.parse(evaluated.stdout);
  t.is(report.frameCount, 40);
  const scored = await runCli(['score', '--predictions', two, '--json']);
  const bce = JSON.parse(scored.stdout).meanBinaryCrossEntropy;
  t.true(Math.abs(bce - report.meanBinaryCrossEntropy) < 1e-6, `${bce}`);
});
