import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import sharp from 'sharp';
import { createOnnxGraphRunner } from '../../src/engines/index.js';
import { DomainError } from '../../src/errors.js';
import { ModelProto } from '../../src/gen/onnx/onnx.js';
import { atTemperature, buildInference } from '../../src/graph/index.js';
import { hpaLabels } from '../../src/label-set.js';
import { readCheckpoint } from '../../src/training/checkpoint.js';
import { createNetwork } from '../../src/training/networks/index.js';
import { follow, openTestTrainer } from './test-trainer.js';

test.serial(
  'a run trains, keeps its best weights, draws them and publishes a version',
  async (t) => {
    const { trainer, runsDir, models, spec } = await openTestTrainer(t);
    const started = await trainer.start(spec, 'first-run');
    t.is(started.state, 'running');
    const events = await follow(trainer, 'first-run');

    t.deepEqual(
      events.map(({ number }) => number),
      events.map((_, index) => index + 1),
    );
    const [first] = events;
    t.like(first, { kind: 'started', trainingFrames: 9, validationFrames: 3, spec });
    t.like(first, { device: 'onnxruntime/cpu', deviceNote: '' });
    const kinds = events.map(({ kind }) => kind).filter((kind) => kind !== 'framesLoaded');
    t.deepEqual(kinds, [
      'started',
      ...['step', 'step', 'step', 'epoch'],
      ...['step', 'step', 'step', 'epoch'],
      'published',
      'ended',
    ]);
    t.like(events.at(-2), { kind: 'published', model: 'small', version: 1 });
    t.like(events.at(-1), { kind: 'ended', state: 'finished', reason: 'finished 2 epochs' });

    const run = await trainer.get('first-run');
    t.like(run, { state: 'finished', failure: '', publishedVersion: 1 });
    t.is(run.device, 'onnxruntime/cpu');
    t.is(run.history.length, 2);
    // The first version of a name has nothing to be compared with: it goes live.
    t.deepEqual(await models.aliases('small'), { live: 1 });

    const draft = await models.read('small@1');
    t.like(draft, {
      name: 'small',
      runId: 'first-run',
      parent: null,
    });
    t.regex(draft.thresholdsSource, /^chosen on validation: .* 3 frames/);
    t.true(draft.thresholds.every((threshold) => threshold > 0 && threshold < 1));
    t.is(draft.calibration?.frameCount, 3);
    // What it was asked for and came to lies with it.
    t.deepEqual(draft.training, {
      spec: { ...run.spec },
      history: run.history.map((it) => ({ ...it })),
    });
    const best = run.history.findLast((epoch) => epoch.best);
    t.deepEqual(draft.scores, {
      frameCount: 3,
      loss: best?.validationLoss,
      binaryAccuracy: best?.validationAccuracy,
      alwaysNoAccuracy: 27 / 28,
      macroF1: best?.validationMacroF1,
      macroF1Present: best?.validationMacroF1Present,
      macroAveragePrecisionPresent: best?.validationMacroAveragePrecisionPresent,
      atThresholds: draft.scores?.atThresholds,
    });
    // Two of the 28 are present, in both parts: over all of them nothing beyond 2/28 can be reached.
    for (const { validationMacroF1, validationMacroF1Present } of run.history) {
      t.true(Math.abs(validationMacroF1Present - 14 * validationMacroF1) < 1e-12);
    }
    const { binaryAccuracy = 0, macroF1Present = 0 } = draft.scores?.atThresholds ?? {};
    t.true(macroF1Present >= (best?.validationMacroF1Present ?? 1), `${macroF1Present}`);
    t.true(binaryAccuracy > 0.9 && binaryAccuracy <= 1);

    const folder = join(runsDir, 'first-run');
    const checkpoint = await readCheckpoint(join(folder, 'best.safetensors'));
    t.is(checkpoint.epoch, best?.epoch ?? 0);
    t.is(checkpoint.step, (best?.epoch ?? 0) * 3);
    t.is(checkpoint.state.size, 16);

    // The weights of the run at the temperature of the manifest are what is served.
    const network = createNetwork('seed-cnn', {
      ...{ channels: 4, heightPx: 32, widthPx: 32, labelCount: hpaLabels.length },
    });
    const served = atTemperature(network, checkpoint.state, draft.calibration?.temperature ?? 0);
    const weightsOf = (model: Uint8Array) =>
      (ModelProto.decode(model).graph?.initializer ?? [])
        .filter(({ name }) => served.has(name ?? ''))
        .map(({ name, dims, rawData }) => [name, dims, Buffer.from(rawData ?? [])]);
    const published = await models.readFile(draft, 'model.onnx');
    const expected = weightsOf(buildInference(network, served));
    t.is(expected.length, 16);
    t.deepEqual(weightsOf(published), expected);
    // Beside the probabilities it says how far a frame is from the training part.
    t.deepEqual(
      ModelProto.decode(published).graph?.output.map(({ name }) => name),
      ['probabilities', 'distance'],
    );
    t.true((draft.drift?.threshold ?? 0) > 0);
    for (const file of ['loss.svg', 'accuracy.svg', 'macro-f1.svg', 'average-precision.svg']) {
      t.regex(await readFile(join(folder, file), 'utf8'), /^<svg/);
    }
    t.like(await sharp(join(folder, 'validation-frames.png')).metadata(), { format: 'png' });
    t.false(existsSync(join(folder, 'export')));
  },
);

test.serial(
  'what is published answers the golden frame as recorded, alone and in a batch',
  async (t) => {
    const { trainer, models, spec } = await openTestTrainer(t);
    await trainer.start(spec, 'golden');
    await follow(trainer, 'golden');
    const manifest = await models.read('small@live');
    const model = await models.readFile(manifest, 'model.onnx');
    const golden = {
      frame: await models.readFile(manifest, 'golden.bin'),
      output: manifest.goldenOutput,
    };
    t.is(golden.frame.length, 4 * 32 * 32);
    t.is(golden.output.length, hpaLabels.length);
    const runner = await createOnnxGraphRunner(model, { threads: 1 });
    t.teardown(() => runner.close());
    for (const count of [1, 3]) {
      const values = Uint8Array.from(
        { length: count * golden.frame.length },
        (_, at) => golden.frame[at % golden.frame.length]!,
      );
      const { probabilities } = await runner.run({
        pixels: { type: 'uint8', shape: [count, 4, 32, 32], values },
      });
      for (const [at, probability] of (probabilities!.values as Float32Array).entries()) {
        t.true(Math.abs(probability - golden.output[at % hpaLabels.length]!) < 1e-6);
      }
    }
  },
);

test.serial(
  'the same spec gives the same weights, bit for bit; another seed gives others',
  async (t) => {
    const { trainer, runsDir, models, spec } = await openTestTrainer(t, { threads: 2 });
    const digests = [];
    for (const [runId, seed] of [
      ['one', 7],
      ['two', 7],
      ['three', 8],
    ] as const) {
      await trainer.start({ ...spec, seed }, runId);
      await follow(trainer, runId);
      const file = await readFile(join(runsDir, runId, 'best.safetensors'));
      digests.push(createHash('sha256').update(file).digest('hex'));
    }
    t.is(digests[0], digests[1]);
    t.not(digests[0], digests[2]);
    const [one, two] = await models.list();
    t.deepEqual(one!.files, two!.files);
    t.deepEqual(one!.goldenOutput, two!.goldenOutput);
  },
);

test.serial(
  'frames kept on disk, read from there and kept for one run train the same bits',
  async (t) => {
    const files = [];
    for (const runs of [['makes the cache', 'finds it'], ['has none']]) {
      const frameCacheBytes = runs.length === 2 ? 2 ** 24 : 0;
      const { trainer, runsDir, models, spec } = await openTestTrainer(t, { frameCacheBytes });
      for (const at of runs.keys()) {
        await trainer.start({ ...spec, augmentation: 'cells', sampling: 'balanced' }, `run-${at}`);
        await follow(trainer, `run-${at}`);
      }
      const kept = await readdir(join(runsDir, '.frames')).catch(() => []);
      t.is(kept.length, runs.length === 2 ? 1 : 0);
      files.push(...(await models.list()).map((version) => version.files));
    }
    t.is(files.length, 3);
    t.deepEqual(files[1], files[0]);
    t.deepEqual(files[2], files[0]);
  },
);

test.serial(
  'a promotion that a gate refuses leaves a candidate, and the run says why',
  async (t) => {
    const { trainer, models, spec } = await openTestTrainer(t, {
      promote: async () => {
        throw new DomainError('gate_refused', 'small@1 stays a candidate: 0.1, expected 0.2');
      },
    });
    await trainer.start({ ...spec, epochs: 1, promote: true }, 'gated');
    const events = await follow(trainer, 'gated');
    t.like(events.at(-2), { kind: 'published', version: 1 });
    t.like(events.at(-1), {
      ...{ kind: 'ended', state: 'finished' },
      reason: 'finished 1 epoch; small@1 stays a candidate: 0.1, expected 0.2',
    });
    t.deepEqual(await models.aliases('small'), { candidate: 1 });
  },
);

test.serial('a later version is a candidate, and goes live when asked to', async (t) => {
  const { trainer, models, spec } = await openTestTrainer(t);
  for (const [runId, promote] of [
    ['a', false],
    ['b', false],
    ['c', true],
  ] as const) {
    await trainer.start({ ...spec, epochs: 1, promote }, runId);
    await follow(trainer, runId);
    if (runId === 'b') t.deepEqual(await models.aliases('small'), { live: 1, candidate: 2 });
  }
  t.deepEqual(
    (await models.list()).map(({ parent }) => parent),
    [null, null, null],
  );
  t.deepEqual(await models.aliases('small'), { live: 3, previous: 1 });
});

test.serial('a stopped run ends after its step and publishes its best epoch', async (t) => {
  const { trainer, models, spec } = await openTestTrainer(t);
  await trainer.start({ ...spec, epochs: 10_000, patience: 10_000 }, 'long');
  await follow(trainer, 'long', { isEnough: ({ kind }) => kind === 'epoch' });
  t.like(await trainer.stop('long'), { id: 'long', state: 'running' });
  const events = await follow(trainer, 'long');
  t.like(events.at(-1), { kind: 'ended', state: 'stopped' });
  t.regex(
    (events.at(-1) as { reason: string }).reason,
    /^stopped on request (at step|after epoch) \d+$/,
  );
  t.deepEqual(await models.versions('small'), [1]);
  t.is((await trainer.get('long')).publishedVersion, 1);
  await t.throwsAsync(trainer.stop('long'), { code: 'run_state' });
});

test.serial(
  'a run that is stopped before an epoch is done publishes nothing, and says so',
  async (t) => {
    const { trainer, models, spec } = await openTestTrainer(t, { frameCount: 40 });
    await trainer.start({ ...spec, batchSize: 1 }, 'early');
    await follow(trainer, 'early', { isEnough: ({ kind }) => kind === 'step' });
    await trainer.stop('early');
    const end = (await follow(trainer, 'early')).at(-1);
    t.like(end, { kind: 'ended', state: 'stopped' });
    t.regex(
      (end as { reason: string }).reason,
      /^stopped on request at step \d+; no epoch was finished, nothing is published$/,
    );
    t.deepEqual(await models.versions('small'), []);
  },
);

test.serial('a diverged run is a result: failed, by its step', async (t) => {
  const { trainer, models, spec } = await openTestTrainer(t);
  await trainer.start({ ...spec, learningRate: 1e30 }, 'diverged');
  await follow(trainer, 'diverged');
  const run = await trainer.get('diverged');
  t.is(run.state, 'failed');
  t.regex(run.failure, /^loss is (NaN|Infinity) at step \d+$/);
  t.deepEqual(await models.versions('small'), []);
});

test.serial('a run rests while frames are answered, and a stop reaches it there', async (t) => {
  const listeners = new Set<(isServing: boolean) => void>();
  const serving = {
    isServing: true,
    onChange(listener: (isServing: boolean) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const { trainer, spec, processes } = await openTestTrainer(t, { serving, share: 1e-6 });
  await trainer.start({ ...spec, epochs: 10_000, patience: 10_000 }, 'long');
  await follow(trainer, 'long', { isEnough: ({ kind }) => kind === 'step' });
  await trainer.stop('long');
  const events = await follow(trainer, 'long');
  t.like(events.at(-1), {
    kind: 'ended',
    state: 'stopped',
    reason: 'stopped on request at step 1; no epoch was finished, nothing is published',
  });
  t.is(listeners.size, 0);
  t.is(processes.length, 1);
});

test.serial('a second run is refused while one holds the device', async (t) => {
  const { trainer, spec } = await openTestTrainer(t);
  await trainer.start({ ...spec, epochs: 1 }, 'holder');
  await t.throwsAsync(trainer.start(spec, 'late'), {
    code: 'overloaded',
    message: 'the run "holder" holds the device',
  });
  await follow(trainer, 'holder');
  await t.notThrowsAsync(trainer.start({ ...spec, epochs: 1 }, 'next'));
});

test.serial('an id that is taken is refused, and the device is free again', async (t) => {
  const { trainer, spec } = await openTestTrainer(t);
  await trainer.start({ ...spec, epochs: 1 }, 'taken');
  await follow(trainer, 'taken');
  await t.throwsAsync(trainer.start(spec, 'taken'), { code: 'run_exists' });
  await t.throwsAsync(trainer.start(spec, '../up'), { code: 'option_invalid' });
  await t.notThrowsAsync(trainer.start({ ...spec, epochs: 1 }));
});

test.serial('a plane that is cut fails the run by the name of its frame', async (t) => {
  const { trainer, spec } = await openTestTrainer(t);
  await truncate(join(spec.dataPath, 'train', 'cell3_blue.png'), 60);
  await truncate(join(spec.dataPath, 'train', 'cell5_red.png'), 0);
  await trainer.start(spec, 'cut');
  await follow(trainer, 'cut');
  const { state, failure } = await trainer.get('cut');
  t.is(state, 'failed');
  t.regex(
    failure,
    /^2 of 12 frames cannot be read: frame "cell3": .*blue.*; frame "cell5": .*red.*zero bytes/,
  );
});

test.serial(
  'a dataset that is not there fails the run, without a path of the server',
  async (t) => {
    const { trainer, folder, spec } = await openTestTrainer(t);
    await trainer.start({ ...spec, dataPath: join(folder, 'nothing-here') }, 'absent');
    await follow(trainer, 'absent');
    const { state, failure } = await trainer.get('absent');
    t.is(state, 'failed');
    t.regex(failure, /train\.csv/);
    t.false(failure.includes(folder));
  },
);

test.serial('a store that refuses fails the run and keeps what was exported', async (t) => {
  const { trainer, runsDir, spec } = await openTestTrainer(t, {
    store: {
      read: () => Promise.reject(new Error('nothing is to be continued')),
      readFile: () => Promise.reject(new Error('nothing is to be continued')),
      aliases: async () => ({}),
      setAlias: async () => {},
      changeAliases: async () => ({}),
      publish: async () => {
        throw new DomainError('storage_failed', 'cannot write the models folder: no permission');
      },
    },
  });
  await trainer.start({ ...spec, epochs: 1 }, 'refused');
  await follow(trainer, 'refused');
  t.like(await trainer.get('refused'), {
    state: 'failed',
    failure: 'cannot write the models folder: no permission',
    publishedVersion: null,
  });
  t.true(existsSync(join(runsDir, 'refused', 'export', 'model.onnx')));
});

test.serial('closing ends the run that goes on, and starts no other', async (t) => {
  const { trainer, spec } = await openTestTrainer(t);
  await trainer.start({ ...spec, epochs: 10_000, patience: 10_000 }, 'cut-short');
  await follow(trainer, 'cut-short', { isEnough: ({ kind }) => kind === 'step' });
  await trainer.close();
  const run = await trainer.get('cut-short');
  t.is(run.state, 'failed');
  t.is(run.failure, 'the server shut down before the run had stopped');
  await t.throwsAsync(trainer.start(spec), { code: 'draining' });
});

test.serial('closing within a time of its own ends a run that would have had more', async (t) => {
  const { trainer, spec } = await openTestTrainer(t, { graceMs: 60_000 });
  await trainer.start({ ...spec, epochs: 10_000, patience: 10_000 }, 'hurried');
  await follow(trainer, 'hurried', { isEnough: ({ kind }) => kind === 'step' });
  await trainer.close(0);
  t.is((await trainer.get('hurried')).failure, 'the server shut down before the run had stopped');
});

test.serial('closing with time to spare stops the run and publishes its best epoch', async (t) => {
  const { trainer, models, spec } = await openTestTrainer(t, { graceMs: 60_000 });
  await trainer.start({ ...spec, epochs: 10_000, patience: 10_000 }, 'graceful');
  await follow(trainer, 'graceful', { isEnough: ({ kind }) => kind === 'epoch' });
  await trainer.close();
  t.is((await trainer.get('graceful')).state, 'stopped');
  t.deepEqual(await models.versions('small'), [1]);
});
