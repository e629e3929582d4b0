import test, { type ExecutionContext } from 'ava';
import {
  createOnnxGraphRunner,
  createTensorflowGraphRunner,
  type GraphRunner,
} from '../../src/engines/index.js';
import {
  buildTrainingStep,
  type Layer,
  type Network,
  type TrainingStepOptions,
} from '../../src/graph/index.js';
import { createNetwork } from '../../src/training/networks/index.js';
import { createStepRunner } from '../../src/training/step-runner.js';
import { somePixels } from '../graph/small-network.js';
import { furthest, smallCnn, trained } from '../interchange/trained.js';

/** Dropouts at every place that a mask may have: before and after the flatten, and at the end. */
const network: Network = {
  ...smallCnn,
  layers: smallCnn.layers.flatMap<Layer>((layer) => {
    const dropout = { kind: 'dropout', rate: 0.3 } as const;
    if (layer.kind === 'dense') return [dropout, layer];
    return layer.kind === 'maxPool' ? [layer, dropout] : [layer];
  }),
};
const batchSize = 4;

/** Runs every step in both runtimes, holds all their outputs together, and goes on with ONNX's. */
async function both(
  t: ExecutionContext,
  of: Network,
  options: TrainingStepOptions,
  packages: readonly string[],
) {
  const step = buildTrainingStep(of, { ...options, withGradients: true });
  const onnx = await createOnnxGraphRunner(step.model, { threads: 1 });
  const tensorflow = await createTensorflowGraphRunner(
    { network: of, step, options },
    { packages },
  );
  t.teardown(() => Promise.all([onnx.close(), tensorflow.close()]));
  const apart = { gradients: 0, rest: 0 };
  let compared = 0;
  const runner: GraphRunner = {
    device: 'both',
    note: '',
    async run(inputs, into) {
      const [expected, got] = [await onnx.run(inputs, into), await tensorflow.run(inputs)];
      t.deepEqual(Object.keys(got).sort(), Object.keys(expected).sort());
      for (const [name, { values, shape }] of Object.entries(expected)) {
        t.deepEqual([...(got[name]?.shape ?? [])], [...shape], name);
        const away = furthest(got[name]?.values as Float32Array, values as Float32Array);
        const kind = name.startsWith('gradient/') ? 'gradients' : 'rest';
        if (Number.isNaN(away)) t.fail(`${name} is not a number`);
        apart[kind] = Math.max(apart[kind], away);
        compared += 1;
      }
      return expected;
    },
    async close() {},
  };
  const { parameters } = trained(of);
  const steps = createStepRunner({ step, state: parameters, seed: 7 }, { runner });
  return { steps, apart, count: () => compared, device: tensorflow.device };
}

const targets = Float32Array.from({ length: batchSize * 4 }, (_, at) => (at % 3 === 0 ? 1 : 0));
const choices: readonly (readonly [string, Partial<TrainingStepOptions>])[] = [
  ['binary cross-entropy, Adam', {}],
  [
    'weighted loss, AdamW',
    { loss: { kind: 'weighted', positiveWeights: [1, 5, 2, 9] }, weightDecay: 0.3 },
  ],
  [
    'focal loss, clipped, averaged',
    { loss: { kind: 'focal', gamma: 2 }, clipNorm: 0.05, emaDecay: 0.9 },
  ],
  ['with frozen layers', { frozenLayers: ['conv*'], emaDecay: 0.9 }],
];
/** The tests of training in TensorFlow from one package, of which a process may load only one. */
export function testTraining(device: string, name: string): void {
  for (const [what, options] of choices) {
    test(`${device}: ${what}: gradients and updates are those of ONNX Runtime`, async (t) => {
      const run = await both(t, network, { batchSize, ...options }, [name]);
      t.is(run.device, device);
      const pixels = somePixels(batchSize, network.inputShape);
      const frameBytes = pixels.length / batchSize;
      await run.steps.run({ pixels, targets, frameCount: batchSize }, 1e-2);
      // A last batch that is not full, from the weights and slots of the step before.
      const part = { pixels: pixels.slice(frameBytes), targets: targets.slice(4) };
      await run.steps.run({ ...part, frameCount: batchSize - 1 }, 1e-2);
      const { stateNames } = buildTrainingStep(network, { batchSize, ...options });
      t.true(run.count() > 2 * stateNames.length);
      // Seen are 2e-7; a wrong transposition makes 1e-2.
      t.log(`gradients ${run.apart.gradients}, all else ${run.apart.rest}`);
      t.true(run.apart.gradients <= 1e-5, `${run.apart.gradients}`);
      t.true(run.apart.rest <= 1e-4, `${run.apart.rest}`);
    });
  }

  test(`${device}: a step of the first network, small, is that of ONNX Runtime`, async (t) => {
    const shape = { channels: 4, heightPx: 32, widthPx: 36, labelCount: 5 };
    const seed = createNetwork('seed-cnn', shape);
    const run = await both(t, seed, { batchSize: 2 }, [name]);
    const pixels = somePixels(2, seed.inputShape);
    const wanted = Float32Array.from({ length: 10 }, (_, at) => at % 2);
    await run.steps.run({ pixels, targets: wanted, frameCount: 2 }, 1e-3);
    t.log(`gradients ${run.apart.gradients}, all else ${run.apart.rest}`);
    t.true(run.apart.gradients <= 1e-4 && run.apart.rest <= 1e-3);
  });
}
