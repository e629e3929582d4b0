import test from 'ava';
import { nativeTensorflow, skipNative } from '../engines/native-tensorflow.js';
import { furthest } from '../interchange/trained.js';
import { follow, openTestTrainer } from './test-trainer.js';

// A step of four frames takes JavaScript half a minute: one of one frame shows as much.
const packages: readonly (readonly [string, string, number, number])[] = [
  ['JavaScript', '@tensorflow/tfjs', 4, 1],
  ...(nativeTensorflow === null ? [] : [['the native library', nativeTensorflow, 12, 3] as const]),
];

for (const [name, tensorflowPackage, frameCount, batchSize] of packages) {
  test.serial(
    `a run of TensorFlow in ${name} trains what one of ONNX Runtime trains`,
    async (t) => {
      const { trainer, models, spec } = await openTestTrainer(t, {
        frameCount,
        tensorflowPackage,
      });
      const short = { ...spec, epochs: 1, batchSize, trainingPart: 0.75, emaDecay: 0.9 };
      const lossesOf = async (engine: 'onnxruntime' | 'tensorflow') => {
        await trainer.start({ ...short, model: engine, engine }, engine);
        const events = await follow(trainer, engine);
        t.like(events.at(-1), { kind: 'ended', state: 'finished' });
        t.regex((await trainer.get(engine)).device, new RegExp(`^${engine}/`));
        return events.flatMap((event) => (event.kind === 'step' ? [event.loss] : []));
      };
      const [expected, got] = [await lossesOf('onnxruntime'), await lossesOf('tensorflow')];
      t.is(got.length, (0.75 * frameCount) / batchSize);
      t.true(furthest(got, expected) <= 1e-4, `${got} for ${expected}`);
      const [theirs, ours] = [
        await models.read('tensorflow@1'),
        await models.read('onnxruntime@1'),
      ];
      t.deepEqual(theirs.inputSpec, ours.inputSpec);
      t.true(Math.abs(theirs.scores!.loss - ours.scores!.loss) <= 1e-3);
    },
  );
}

if (nativeTensorflow === null) skipNative('a native run');

test.serial('a run of a TensorFlow that is not there fails and says what to install', async (t) => {
  const { trainer, spec } = await openTestTrainer(t, {
    tensorflowPackage: '@tensorflow/tfjs-none',
  });
  await trainer.start({ ...spec, engine: 'tensorflow' }, 'none');
  const end = (await follow(trainer, 'none')).at(-1);
  t.like(end, { kind: 'ended', state: 'failed' });
  t.regex(JSON.stringify(end), /tensorflow is not there .*not installed.*npm i/);
});
