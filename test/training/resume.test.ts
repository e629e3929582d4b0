import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { DomainError } from '../../src/errors.js';
import type { RunEvent } from '../../src/training/index.js';
import { createRunStore } from '../../src/training/run-store.js';
import { follow, openTestTrainer, type TestTrainer } from './test-trainer.js';

/** Everything that has a state: averages, moments, drawn frames, a schedule, dropout. */
const demanding = {
  epochs: 3,
  batchSize: 4,
  sampling: 'balanced',
  augmentation: 'cells',
  schedule: 'cosine',
  optimiser: 'adamw',
  clipNorm: 1,
  emaDecay: 0.9,
} as const;

type Step = RunEvent & { readonly kind: 'step' };
const isStep = (epoch: number, step: number) => (event: RunEvent) =>
  event.kind === 'step' && event.epoch === epoch && event.step === step;
const stepsOf = (events: readonly RunEvent[]) =>
  events
    .filter((event): event is Step => event.kind === 'step')
    .map(({ epoch, step, loss }) => [epoch, step, loss]);

/** What must not depend on an interruption. */
async function resultOf({ trainer, runsDir, models }: TestTrainer, runId: string) {
  const run = await trainer.get(runId);
  const { files, goldenOutput, scores } = await models.read(`small@${run.publishedVersion}`);
  return {
    state: run.state,
    failure: run.failure,
    history: run.history.map((epoch) => ({ ...epoch, seconds: 0 })),
    weights: await readFile(join(runsDir, runId, 'best.safetensors')),
    ...{ files, goldenOutput, scores },
  };
}

function assertNumbered(t: ExecutionContext, events: readonly RunEvent[]): void {
  t.deepEqual(
    events.map(({ number }) => number),
    events.map((_, at) => at + 1),
  );
}

test.serial('a run that is killed and resumed, twice, ends as one that never was', async (t) => {
  // Kept after every step.
  const test = await openTestTrainer(t, { frameCount: 20, checkpointEveryMs: 0 });
  const { trainer, runsDir, processes } = test;
  const spec = { ...test.spec, ...demanding };
  await trainer.start(spec, 'whole');
  const steps = stepsOf(await follow(trainer, 'whole'));
  t.is(steps.length, 12);
  t.false(existsSync(join(runsDir, 'whole', 'last.safetensors')));

  await trainer.start(spec, 'cut');
  await follow(trainer, 'cut', { isEnough: isStep(1, 3) });
  process.kill(processes[1]!.pid!, 'SIGKILL');
  await follow(trainer, 'cut');
  t.like(await trainer.get('cut'), {
    state: 'failed',
    failure: 'the trainer process was ended by SIGKILL, by hand or for want of memory',
    resumable: true,
  });

  const first = await trainer.resume('cut');
  t.like(first.run, { state: 'running', failure: '', endedAtMs: null, resumable: false });
  await follow(trainer, 'cut', { from: first.fromNumber, isEnough: isStep(2, 4) });
  process.kill(processes[2]!.pid!, 'SIGKILL');
  await follow(trainer, 'cut', { from: first.fromNumber });

  const second = await trainer.resume('cut');
  const rest = await follow(trainer, 'cut', { from: second.fromNumber });
  t.is(rest[0]!.kind, 'resumed');
  const started = rest.find((event) => event.kind === 'started');
  t.true(started?.kind === 'started' && started.stepsDone >= 7);
  t.like(rest.at(-1), { kind: 'ended', state: 'finished' });
  t.deepEqual(stepsOf(rest), steps.slice(started?.stepsDone));
  t.deepEqual(await resultOf(test, 'cut'), await resultOf(test, 'whole'));
  assertNumbered(t, await follow(trainer, 'cut'));
});

test.serial(
  'several steps a call, killed and resumed, publish the bits of single steps',
  async (t) => {
    const single = await openTestTrainer(t, { frameCount: 20 });
    const several = await openTestTrainer(t, {
      ...{ frameCount: 20, checkpointEveryMs: 0, stepsPerCall: 3 },
    });
    for (const { trainer, spec } of [single, several]) {
      await trainer.start({ ...spec, ...demanding }, 'run');
    }
    const { trainer, processes } = several;
    // 4 steps an epoch: the first checkpoint is that of the first call.
    await follow(trainer, 'run', { isEnough: isStep(1, 4) });
    process.kill(processes[0]!.pid!, 'SIGKILL');
    await follow(trainer, 'run');
    const { fromNumber } = await trainer.resume('run');
    const rest = await follow(trainer, 'run', { from: fromNumber });
    t.like(rest.at(-1), { kind: 'ended', state: 'finished' });
    const all = stepsOf(await follow(single.trainer, 'run'));
    t.deepEqual(stepsOf(rest), all.slice(-stepsOf(rest).length));
    const [{ weights: _, ...one }, { weights: __, ...other }] = [
      await resultOf(single, 'run'),
      await resultOf(several, 'run'),
    ];
    t.deepEqual(other, one);
  },
);

test.serial('steps since the last checkpoint are done again, to the same result', async (t) => {
  // Kept after each epoch alone.
  const test = await openTestTrainer(t, { frameCount: 20 });
  const { trainer, processes } = test;
  await trainer.start(test.spec, 'whole');
  await follow(trainer, 'whole');
  await trainer.start(test.spec, 'cut');
  await follow(trainer, 'cut', { isEnough: isStep(2, 2) });
  process.kill(processes[1]!.pid!, 'SIGKILL');
  await follow(trainer, 'cut');
  const { fromNumber } = await trainer.resume('cut');
  const rest = await follow(trainer, 'cut', { from: fromNumber });
  t.deepEqual(stepsOf(rest)[0]?.slice(0, 2), [2, 1]);
  t.deepEqual(await resultOf(test, 'cut'), await resultOf(test, 'whole'));
});

test.serial('a server that is killed leaves a run that the next server resumes', async (t) => {
  const test = await openTestTrainer(t, { frameCount: 20 });
  const { trainer, folder, runsDir } = test;
  const spec = { ...test.spec, ...demanding, network: 'resnet-small' };
  await trainer.start(spec, 'whole');
  await follow(trainer, 'whole');

  const entry = join(import.meta.dirname, 'trainer-parent.js');
  const server = spawn(process.execPath, [entry, folder, 'cut', JSON.stringify(spec)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => void server.kill('SIGKILL'));
  await once(server.stdout, 'data');
  server.kill('SIGKILL');
  await once(server, 'exit');

  t.like(await trainer.get('cut'), {
    state: 'failed',
    failure: 'the trainer process ended',
    resumable: true,
  });
  // As another process saw it, and as it goes on to see it.
  const elsewhere = createRunStore(runsDir);
  t.teardown(() => elsewhere.close());
  const shown = await follow(trainer, 'cut');
  t.is((await elsewhere.get('cut')).state, 'failed');
  const { fromNumber } = await trainer.resume('cut');
  t.is(fromNumber, shown.length + 1);
  t.is((await elsewhere.get('cut')).state, 'running');
  await follow(trainer, 'cut');
  t.is((await elsewhere.get('cut')).state, 'finished');
  t.deepEqual(await resultOf(test, 'cut'), await resultOf(test, 'whole'));
  assertNumbered(t, await follow(trainer, 'cut'));
});

test.serial('a run that was stopped goes on too, and publishes once more', async (t) => {
  const test = await openTestTrainer(t, { frameCount: 20 });
  const { trainer, models } = test;
  const spec = { ...test.spec, epochs: 3 };
  await trainer.start(spec, 'whole');
  await follow(trainer, 'whole');
  await trainer.start(spec, 'stopped');
  await follow(trainer, 'stopped', { isEnough: isStep(2, 1) });
  await trainer.stop('stopped');
  await follow(trainer, 'stopped');
  t.like(await trainer.get('stopped'), { state: 'stopped', publishedVersion: 2, resumable: true });
  const { fromNumber } = await trainer.resume('stopped');
  await follow(trainer, 'stopped', { from: fromNumber });
  t.deepEqual(await models.versions('small'), [1, 2, 3]);
  t.deepEqual(await resultOf(test, 'stopped'), await resultOf(test, 'whole'));
});

test.serial(
  'a run whose version could not be written publishes it once it is resumed',
  async (t) => {
    let isFull = true;
    const test: TestTrainer = await openTestTrainer(t, {
      store: {
        read: (ref) => test.models.read(ref),
        readFile: (manifest, file) => test.models.readFile(manifest, file),
        aliases: (name) => test.models.aliases(name),
        setAlias: (...given) => test.models.setAlias(...given),
        changeAliases: (...given) => test.models.changeAliases(...given),
        publish: async (draft) => {
          if (!isFull) return test.models.publish(draft);
          throw new DomainError('storage_failed', 'the models folder cannot be written: full');
        },
      },
    });
    const { trainer, spec } = test;
    await trainer.start(spec, 'run');
    await follow(trainer, 'run');
    t.like(await trainer.get('run'), { state: 'failed', publishedVersion: null, resumable: true });
    isFull = false;
    const { fromNumber } = await trainer.resume('run');
    const events = await follow(trainer, 'run', { from: fromNumber });
    t.deepEqual(stepsOf(events), [], 'nothing is learnt again');
    t.like(await trainer.get('run'), { state: 'finished', publishedVersion: 1, resumable: false });
  },
);

test.serial('what cannot go on is refused with the reason', async (t) => {
  const { trainer, spec } = await openTestTrainer(t);
  await t.throwsAsync(trainer.resume('nothing'), { code: 'run_unknown' });
  await trainer.start(spec, 'run');
  await t.throwsAsync(trainer.resume('run'), {
    code: 'overloaded',
    message: 'the run "run" holds the device',
  });
  await follow(trainer, 'run');
  await t.throwsAsync(trainer.resume('run'), {
    code: 'run_state',
    message: 'run "run" cannot go on: it has finished',
  });
  await trainer.start({ ...spec, learningRate: 1e30 }, 'diverged');
  await follow(trainer, 'diverged');
  await t.throwsAsync(trainer.resume('diverged'), {
    code: 'run_state',
    message: 'run "diverged" cannot go on: it left no checkpoint',
  });
  await trainer.start({ ...spec, epochs: 1 }, 'free-again');
});

test.serial('a dataset or a checkpoint that has changed fails the run and says so', async (t) => {
  const { trainer, runsDir, spec, processes } = await openTestTrainer(t, { checkpointEveryMs: 0 });
  const plane = join(spec.dataPath, 'train', 'cell1_green.png');
  // A PNG ends with its last chunk: what follows makes two of one size.
  const sized = (png: Buffer) => Buffer.concat([png, Buffer.alloc(8192 - png.length)]);
  const bytes = sized(await readFile(plane));
  await writeFile(plane, bytes);
  await trainer.start(spec, 'cut');
  await follow(trainer, 'cut', { isEnough: isStep(2, 1) });
  process.kill(processes[0]!.pid!, 'SIGKILL');
  await follow(trainer, 'cut');

  const table = join(spec.dataPath, 'train.csv');
  const rows = await readFile(table, 'utf8');
  await writeFile(table, rows.replace('cell1,25', 'cell1,0'));
  const failureOf = async () => {
    const { fromNumber } = await trainer.resume('cut');
    const events = await follow(trainer, 'cut', { from: fromNumber });
    return (events.at(-1) as { readonly reason: string }).reason;
  };
  t.is(
    await failureOf(),
    'expected the frames and labels that the run began with, got others; start a new run',
  );
  await writeFile(table, rows);
  // Other pixels in a file of the same size and time.
  const { atime, mtime } = await stat(plane);
  await writeFile(plane, sized(await readFile(join(spec.dataPath, 'train', 'cell1_red.png'))));
  await utimes(plane, atime, mtime);
  t.regex(await failureOf(), /^expected the frames and labels that the run began with/);
  await writeFile(plane, bytes);
  const checkpoint = join(runsDir, 'cut', 'last.safetensors');
  const whole = await readFile(checkpoint);
  await truncate(checkpoint, whole.byteLength - 4);
  t.regex(await failureOf(), /^last\.safetensors is no sound checkpoint: expected \d+ bytes/);
  await writeFile(checkpoint, whole);
  t.is(await failureOf(), 'finished 2 epochs');
});
