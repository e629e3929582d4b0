import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { readParameters } from '../../src/graph/index.js';
import { parseSeenFrames, type SeenFrames } from '../../src/models/index.js';
import { readCheckpoint } from '../../src/training/checkpoint.js';
import type { RunEvent, RunSpec, VersionStore } from '../../src/training/index.js';
import { createNetwork } from '../../src/training/networks/index.js';
import { exportFiles } from '../../src/training/process/messages.js';
import { writeSmallDataset } from './small-dataset.js';
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

/** A trainer of frames in fields of two, which keeps what each run itself has met. */
async function openFieldTrainer(
  t: ExecutionContext,
  { isListKept = true, ...options }: { isListKept?: boolean; checkpointEveryMs?: number } = {},
) {
  const met = new Map<string, SeenFrames>();
  const store: VersionStore = {
    readFile: (manifest, file) => test.models.readFile(manifest, file),
    aliases: (name) => test.models.aliases(name),
    setAlias: (...given) => test.models.setAlias(...given),
    changeAliases: (...given) => test.models.changeAliases(...given),
    async read(ref) {
      const manifest = await test.models.read(ref);
      const { 'frames.json': list, ...files } = manifest.files;
      return {
        ...manifest,
        files: { ...files, ...(isListKept && list ? { 'frames.json': list } : {}) },
      };
    },
    async publish(draft) {
      const runId = draft.runId ?? '';
      // Before the parent's frames are added, which hides what the run took them for.
      const text = await readFile(join(test.runsDir, runId, exportFiles.frames), 'utf8');
      met.set(runId, parseSeenFrames(text, runId));
      return test.models.publish(draft);
    },
  };
  const test = await openTestTrainer(t, { ...options, store });
  const grow = (frameCount: number) =>
    writeSmallDataset(test.spec.dataPath, frameCount, { framesPerField: 2 });
  const spec: RunSpec = { ...test.spec, split: 'auto', trainingPart: 0.5, epochs: 1 };
  const { trainer } = test;
  const train = async (runId: string, given: Partial<RunSpec> = {}) => {
    await trainer.start({ ...spec, ...given }, runId);
    return follow(trainer, runId);
  };
  return { ...test, grow, spec, train, met };
}

const startOf = (events: readonly RunEvent[]) => {
  const start = events.find((event) => event.kind === 'started');
  if (start === undefined) throw new Error('the run has not told of its start');
  return start;
};
const common = (some: readonly string[] = [], others: readonly string[] = []) =>
  some.filter((key) => others.includes(key));

test.serial('a run validates on no frame that its parent was trained on', async (t) => {
  const { grow, train, met, models } = await openFieldTrainer(t);
  await grow(60);
  t.like(startOf(await train('first', { seed: 1 })), { movedFrames: 0, isParentUnknown: false });
  t.is(met.get('first')?.validation.length, 30);
  const start = startOf(await train('second', { seed: 2, parent: 'small@1' }));
  t.deepEqual(common(met.get('second')?.validation, met.get('first')?.training), []);
  t.true(start.movedFrames > 0);
  t.is(start.trainingFrames + start.validationFrames, 60);
  t.is(start.validationFrames, 30 - start.movedFrames);
  t.false(start.isParentUnknown);
  t.is((await models.read('small@2')).calibration?.frameCount, start.validationFrames);
});

test.serial('a set that gained fields validates on none that trained the parent', async (t) => {
  const { grow, train, met } = await openFieldTrainer(t);
  await grow(40);
  await train('first');
  await grow(60);
  const start = startOf(await train('second', { parent: 'small@1' }));
  t.true(start.movedFrames > 0);
  t.is(met.get('second')?.validation.length, start.validationFrames);
  t.deepEqual(common(met.get('second')?.validation, met.get('first')?.training), []);
  // As it was: what the parent knows is what it knew by then.
  const again = startOf(await train('third', { parent: 'small@2' }));
  t.is(again.movedFrames, start.movedFrames);
  t.deepEqual(met.get('third'), met.get('second'));
});

test.serial('a run whose parent knows nearly all that would validate does no work', async (t) => {
  const { grow, train, trainer, models } = await openFieldTrainer(t);
  await grow(60);
  await train('first', { trainingPart: 0.9 });
  const events = await train('second', { trainingPart: 0.8, seed: 2, parent: 'small@1' });
  t.deepEqual(
    events.map(({ kind }) => kind),
    ['ended'],
  );
  const { state, failure } = await trainer.get('second');
  t.is(state, 'failed');
  t.regex(
    failure,
    /^expected validation frames that small@1 was not trained on, .*: it was on \d+ of 12, the \d that are left are too few; take the frames, split and seed/,
  );
  t.deepEqual(await models.aliases('small'), { live: 1 });
});

test.serial('a run that moved frames of its parent is resumed to the same bits', async (t) => {
  const opened = await openFieldTrainer(t, { checkpointEveryMs: 0 });
  const { grow, train, trainer, processes, models, met } = opened;
  await grow(60);
  await train('first', { seed: 1 });
  const child = { ...opened.spec, seed: 2, parent: 'small@1', epochs: 2 };
  const whole = startOf(await train('whole', child));
  t.true(whole.movedFrames > 0);
  await trainer.start(child, 'cut');
  await follow(trainer, 'cut', { isEnough: (event) => event.kind === 'step' && event.epoch === 2 });
  process.kill(processes[2]!.pid!, 'SIGKILL');
  await follow(trainer, 'cut');
  const { fromNumber } = await trainer.resume('cut');
  const { movedFrames, validationFrames, stepsDone } = startOf(
    await follow(trainer, 'cut', { from: fromNumber }),
  );
  t.true(stepsDone > 0);
  t.is(movedFrames, whole.movedFrames);
  t.is(validationFrames, whole.validationFrames);
  t.deepEqual(met.get('cut'), met.get('whole'));
  t.deepEqual((await models.read('small@3')).files, (await models.read('small@2')).files);
});

test.serial('of a parent that keeps no list a run says that it is unknown', async (t) => {
  const { grow, train, met } = await openFieldTrainer(t, { isListKept: false });
  await grow(60);
  await train('first', { seed: 1 });
  const start = startOf(await train('second', { seed: 2, parent: 'small@1' }));
  t.like(start, { movedFrames: 0, isParentUnknown: true, validationFrames: 30 });
  t.true(common(met.get('second')?.validation, met.get('first')?.training).length > 0);
});
