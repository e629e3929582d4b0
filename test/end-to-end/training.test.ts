import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { runCli, startCli } from '../cli/run-cli.js';
import { makeFolder } from '../make-folder.js';

test('Ctrl-C ends a training after its step; its best weights are published and live', async (t) => {
  const folder = await makeFolder(t);
  const places = ['--models', join(folder, 'models'), '--runs', join(folder, 'runs')];
  const data = join(folder, 'cells');
  await runCli(['simulate', '--out', data, '--frames', '20', '--size', '64']);
  const train = ['train', '--data', data, '--model', 'cells', '--batch', '8', ...places];

  const first = startCli([...train, '--epochs', '500', '--patience', '500']);
  t.teardown(() => first.child.kill('SIGKILL'));
  await first.waitFor(/^epoch +2\/500 /m);
  first.child.kill('SIGINT');
  const stopped = await first.ended;
  t.is(stopped.exitCode, 130, stopped.stderr);
  t.regex(stopped.stderr, /^stopping after this step; press Ctrl-C again to leave at once$/m);
  t.regex(stopped.stdout, /^stopped on request/m);
  t.regex(stopped.stdout, /^cells@1 is live; serve it with: npx cytostream serve$/m);
  // No terminal, no control codes.
  t.false(`${stopped.stdout}${stopped.stderr}`.includes('\u001b'));

  const scored = ['evaluate', '--data', data, '--model', 'cells', ...places.slice(0, 2)];
  const out = join(folder, 'report');
  const explained = await runCli([...scored, '--explain', '--out', out]);
  t.is(explained.exitCode, 0, explained.stderr);
  t.regex(explained.stdout, /^share of frames unlike the training's, distance over \d/m);
  t.true((await readdir(out)).includes('explanations.png'));
  const page = await readFile(join(out, 'report.html'), 'utf8');
  t.regex(page, /Where the evidence lies/);
  // The folder of its run is not known here: the version keeps its curves.
  t.regex(page, /Its training: Macro F1 over the labels present/);
  t.regex(
    (await runCli(['models', 'show', 'cells', ...places.slice(0, 2)])).stdout,
    /^epochs +500$/m,
  );
  const nowhere = await runCli([...scored, '--explain']);
  t.is(nowhere.exitCode, 2);
  t.regex(nowhere.stderr, /--explain: expected --out DIR/);

  // A name that has a live version keeps it: the next one is a candidate.
  const second = await runCli([...train, '--epochs', '1']);
  t.is(second.exitCode, 0, second.stderr);
  t.regex(second.stdout, /^make it live with: npx cytostream models promote cells@2$/m);
  const third = await runCli([...train, '--epochs', '1', '--promote', '--run-id', 'third']);
  t.regex(third.stdout, /^cells@3 is live; serve it with: npx cytostream serve$/m);

  const listed = await runCli(['models', 'list', '--json', ...places.slice(0, 2)]);
  const live = JSON.parse(listed.stdout).filter(({ aliases }: { aliases: string[] }) =>
    aliases.includes('live'),
  );
  t.deepEqual(
    live.map(({ version }: { version: number }) => version),
    [3],
  );

  const runs = JSON.parse((await runCli(['runs', 'list', '--json', ...places.slice(2)])).stdout);
  t.deepEqual(
    runs.map(({ state }: { state: string }) => state),
    ['finished', 'finished', 'stopped'],
  );
  const shown = await runCli(['runs', 'show', 'third', ...places.slice(2)]);
  t.regex(shown.stdout, /^published +cells@3$/m);
  const watched = await runCli(['runs', 'watch', 'third', '--json', ...places.slice(2)]);
  const kinds = watched.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).kind);
  t.is(kinds[0], 'started');
  t.is(kinds.at(-1), 'ended');
  const again = await runCli(['runs', 'stop', 'third', ...places.slice(2)]);
  t.is(again.exitCode, 1);
  t.regex(again.stderr, /^cytostream: run "third" has ended: finished\n$/);
});

for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) {
  test(`${signal} to the whole group of processes ends a training as Ctrl-C does`, async (t) => {
    const folder = await makeFolder(t);
    const data = join(folder, 'cells');
    await runCli(['simulate', '--out', data, '--frames', '20', '--size', '64']);
    const words = ['train', '--data', data, '--model', 'cells', '--batch', '8'];
    const places = ['--models', join(folder, 'models'), '--runs', join(folder, 'runs')];
    const endless = ['--network', 'resnet-small', '--epochs', '500', '--patience', '500'];
    const training = startCli([...words, ...endless, ...places], { isGroup: true });
    const group = -(training.child.pid ?? Number.NaN);
    t.teardown(() => training.child.kill('SIGKILL'));
    await training.waitFor(/^epoch +1\/500 /m);
    // As `timeout` and systemd send it: to the trainer process as well.
    process.kill(group, signal);
    const { stdout, stderr } = await training.ended;
    t.regex(stdout, /^stopped on request/m, stderr);
    t.regex(stdout, /^cells@1 is live; serve it with: npx cytostream serve$/m);
  });
}

test('a training whose command line is killed is resumed from the command line', async (t) => {
  const folder = await makeFolder(t);
  const places = ['--models', join(folder, 'models'), '--runs', join(folder, 'runs')];
  const data = join(folder, 'cells');
  await runCli(['simulate', '--out', data, '--frames', '20', '--size', '64']);
  const args = ['--data', data, '--model', 'cells', '--batch', '8', '--epochs', '4', ...places];
  const killed = startCli(['train', '--run-id', 'cut', ...args]);
  t.teardown(() => killed.child.kill('SIGKILL'));
  await killed.waitFor(/^epoch +1\/4 /m);
  killed.child.kill('SIGKILL');
  await killed.ended;

  const shown = await runCli(['runs', 'show', 'cut', ...places.slice(2)]);
  t.regex(shown.stdout, /^state +failed: the trainer process ended$/m);
  t.regex(shown.stdout, /^go on +npx cytostream runs resume cut$/m);
  const resumed = await runCli(['runs', 'resume', 'cut', ...places]);
  t.is(resumed.exitCode, 0, resumed.stderr);
  t.regex(resumed.stdout, /^going on after step \d+$/m);
  t.regex(resumed.stdout, /^finished 4 epochs; published cells@1$/m);
  const again = await runCli(['runs', 'resume', 'cut', ...places]);
  t.is(again.exitCode, 1);
  t.regex(again.stderr, /^cytostream: run "cut" cannot go on: it has finished\n$/);
});

test('folders without models and runs say how to make some', async (t) => {
  const folder = await makeFolder(t);
  const models = await runCli(['models', 'list'], { cwd: folder });
  t.is(models.exitCode, 0);
  t.is(
    models.stderr,
    'no models yet; train one with: npx cytostream train --data DIR --model NAME\n',
  );
  const runs = await runCli(['runs', 'list', '--json'], { cwd: folder });
  t.is(runs.stdout, '[]\n');
});
