import { join } from 'node:path';
import test from 'ava';
import { hpaChannels } from '../../src/frames/index.js';
import { readParameters } from '../../src/graph/index.js';
import { silentLog } from '../../src/telemetry/index.js';
import { readCheckpoint } from '../../src/training/checkpoint.js';
import { createTrainer } from '../../src/training/index.js';
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
  const { trainer, spec, models, folder } = test;
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
  const larger = createTrainer(
    {
      runsDir: join(folder, 'runs'),
      inputSpec: { channels: hpaChannels, widthPx: 48, heightPx: 48, resize: 'bilinear' },
    },
    { log: silentLog, store: models },
  );
  t.teardown(() => larger.close());
  await t.throwsAsync(larger.start({ ...spec, parent: 'small' }), {
    code: 'option_invalid',
    message: 'parent: expected the input that the run has, small@1 has another',
  });
  t.deepEqual(
    (await trainer.list()).map(({ id }) => id),
    ['first'],
  );
});
