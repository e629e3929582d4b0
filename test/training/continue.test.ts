import { join } from 'node:path';
import test from 'ava';
import { readParameters } from '../../src/graph/index.js';
import { readCheckpoint } from '../../src/training/checkpoint.js';
import { createNetwork } from '../../src/training/networks/index.js';
import { follow, openTestTrainer, type TestTrainer } from './test-trainer.js';

const network = createNetwork('seed-cnn', {
  channels: 4,
  heightPx: 32,
  widthPx: 32,
  labelCount: 28,
});

async function weightsOf({ models }: TestTrainer, ref: string) {
  return readParameters(await models.readFile(await models.read(ref), 'model.onnx'), network);
}

test.serial('a run begins with the weights of a version, and says so in its lineage', async (t) => {
  const test = await openTestTrainer(t);
  const { trainer, models, spec } = test;
  await trainer.start(spec, 'first');
  const first = await follow(trainer, 'first');
  await trainer.start({ ...spec, model: 'tuned', parent: 'small', learningRate: 1e-30 }, 'second');
  await follow(trainer, 'second');
  // At a rate that float32 weights cannot take up, they stay what they began with, but for
  // the last layer's: the temperature that it served with is undone, and one chosen anew.
  const [before, after] = [await weightsOf(test, 'small@1'), await weightsOf(test, 'tuned@1')];
  for (const [name, { values }] of after) {
    if (name.startsWith('dense2')) continue;
    const expected = before.get(name)!.values;
    // A zero takes up a step of 1e-30.
    t.true(
      values.every((value, at) => Math.abs(value - expected[at]!) < 1e-20),
      name,
    );
  }
  const temperature = (await models.read('small@1')).calibration?.temperature ?? 1;
  t.true(Math.abs(temperature - 1) > 0.01, `${temperature}: a temperature that shows`);
  const [learnt, begun] = await Promise.all(
    ['first', 'second'].map((run) => readCheckpoint(join(test.runsDir, run, 'best.safetensors'))),
  );
  for (const [name, { values }] of begun!.state) {
    const expected = learnt!.state.get(name)!.values;
    // Divided and multiplied again: a rounding of float32 each, so that logits differ by as little.
    t.true(
      values.every(
        (value, at) => Math.abs(value - expected[at]!) <= 2 ** -22 * Math.abs(value) + 1e-20,
      ),
      `${name}: not the weights that the training graph had`,
    );
  }
  t.is((await models.read('tuned@1')).parent, 'small@1');
  t.is((await models.read('small@1')).parent, null);
  // "small" is its live version by now; which that was stays on record.
  t.is((await trainer.get('second')).spec.parent, 'small@1');

  await trainer.start({ ...spec, parent: 'small@1' }, 'third');
  const third = await follow(trainer, 'third');
  const lossOf = (events: typeof first) => {
    const step = events.find((event) => event.kind === 'step');
    return step?.kind === 'step' ? step.loss : Number.NaN;
  };
  t.true(lossOf(third) < lossOf(first), 'it goes on from where the first one came to');
});

test.serial('frozen layers are published as they were, the others have learnt', async (t) => {
  const test = await openTestTrainer(t);
  const { trainer, spec } = test;
  await trainer.start(spec, 'first');
  await follow(trainer, 'first');
  await trainer.start({ ...spec, parent: 'small', freeze: ['conv*'] }, 'head');
  await follow(trainer, 'head');
  const [before, after] = [await weightsOf(test, 'small@1'), await weightsOf(test, 'small@2')];
  for (const [name, { values }] of after) {
    const expected = before.get(name)!.values;
    if (name.startsWith('conv')) t.deepEqual(values, expected, name);
    else t.notDeepEqual(values, expected, name);
  }
});

test.serial('a run with a parent and frozen layers is resumed to the same bits', async (t) => {
  const test = await openTestTrainer(t, { checkpointEveryMs: 0 });
  const { trainer, processes, models } = test;
  await trainer.start(test.spec, 'first');
  await follow(trainer, 'first');
  const spec = { ...test.spec, parent: 'small@1', freeze: ['conv1', 'conv2'], emaDecay: 0.9 };
  await trainer.start(spec, 'whole');
  await follow(trainer, 'whole');
  await trainer.start(spec, 'cut');
  await follow(trainer, 'cut', { isEnough: (event) => event.kind === 'step' && event.epoch === 2 });
  process.kill(processes[2]!.pid!, 'SIGKILL');
  await follow(trainer, 'cut');
  const { fromNumber } = await trainer.resume('cut');
  await follow(trainer, 'cut', { from: fromNumber });
  const [whole, cut] = [await models.read('small@2'), await models.read('small@3')];
  t.deepEqual(cut.files, whole.files);
  t.is(cut.parent, 'small@1');
});

test.serial('what cannot be continued from is refused before there is a run', async (t) => {
  const test = await openTestTrainer(t);
  const { trainer, spec } = test;
  await t.throwsAsync(trainer.start({ ...spec, parent: 'nobody' }), { code: 'model_unknown' });
  await trainer.start({ ...spec, epochs: 1 }, 'first');
  await follow(trainer, 'first');
  await t.throwsAsync(trainer.start({ ...spec, parent: 'small@7' }), { code: 'model_unknown' });
  await t.throwsAsync(trainer.start({ ...spec, parent: 'small', freeze: ['conv9'] }), {
    code: 'option_invalid',
    message: /^freeze: expected layers of seed-cnn \(conv1, .*dense2\), got conv9$/,
  });
  await t.throwsAsync(trainer.start({ ...spec, parent: 'small', freeze: ['*'] }), {
    code: 'option_invalid',
    message: 'freeze: expected a layer that is left to learn',
  });
  const larger = { widthPx: 48, heightPx: 48 };
  await t.throwsAsync(trainer.start({ ...spec, parent: 'small', inputSpec: larger }), {
    code: 'option_invalid',
    message:
      'inputSpec: expected that of the parent small@1, 32x32 px of microtubules, protein, nucleus, endoplasmic_reticulum, bilinear, got 48x48 px of microtubules, protein, nucleus, endoplasmic_reticulum, bilinear',
  });
  const others = { ...spec, parent: 'small', labels: ['dim', 'bright'] };
  await t.throwsAsync(trainer.start({ ...others, freeze: ['dense2'] }), {
    code: 'option_invalid',
    message:
      /freeze: expected layers that it gives, dense2\/kernel is drawn anew for other labels$/,
  });
  t.deepEqual(
    (await trainer.list()).map(({ id }) => id),
    ['first'],
  );
});

test.serial(
  'a run takes size, channels and labels of its parent, unless it names other labels',
  async (t) => {
    const test = await openTestTrainer(t);
    const { trainer, spec, models, runsDir } = test;
    await trainer.start({ ...spec, epochs: 1 }, 'first');
    await follow(trainer, 'first');
    const open = { ...spec, inputSpec: {}, labels: [], parent: 'small', epochs: 1 };
    await trainer.start(open, 'same');
    await follow(trainer, 'same');
    const { inputSpec, labels } = (await trainer.get('same')).spec;
    t.deepEqual({ inputSpec, labels }, { inputSpec: spec.inputSpec, labels: spec.labels });
    t.deepEqual((await models.read('small@2')).inputSpec, spec.inputSpec);

    const names = Array.from({ length: 26 }, (_, label) => `label ${label}`);
    const other = { ...open, model: 'own', labels: names, learningRate: 1e-30 };
    await trainer.start(other, 'other');
    await follow(trainer, 'other');
    t.deepEqual((await models.read('own@1')).labels, names);
    const [before, after] = await Promise.all(
      ['first', 'other'].map((run) => readCheckpoint(join(runsDir, run, 'best.safetensors'))),
    );
    for (const [name, { shape, values }] of after!.state) {
      if (name.startsWith('dense2')) t.is(shape.at(-1), 26, name);
      // At a rate that float32 weights cannot take up they stay what they began with.
      else
        t.true(
          values.every(
            (value, at) => Math.abs(value - before!.state.get(name)!.values[at]!) < 1e-20,
          ),
          name,
        );
    }
  },
);
