import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { createOnnxGraphRunner, type GraphTensor } from '../../src/engines/index.js';
import { buildTrainingStep, type Layer, type Network } from '../../src/graph/index.js';
import { packageRoot } from '../../src/package-root.js';
import { createNetwork } from '../../src/training/networks/index.js';
import { distance, type Golden, goldenInputs, goldenParameters } from './golden.js';

/** As test/golden/residual_network.py leaves it: its layers are ours, written out by hand. */
type ResidualGolden = Omit<Golden, 'layers'> & { readonly layers: readonly Layer[] };

const golden = JSON.parse(
  readFileSync(join(packageRoot, 'test/golden/residual-network.json'), 'utf8'),
) as ResidualGolden;

const [channels, heightPx, widthPx] = golden.inputShape;
const network = createNetwork('resnet-small', {
  channels,
  heightPx,
  widthPx,
  labelCount: golden.labels,
});

test('the golden numbers are of the network that is trained', (t) => {
  t.deepEqual(network.layers, golden.layers);
});

test('resnet-small has the loss and the gradients that PyTorch gives', async (t) => {
  const [first] = (await runSteps(network, 1, { framesAtOnce: 2 })).outputs;
  t.true(Math.abs(Number(first!['loss']!.values[0]) - golden.losses[0]!) < 1e-6);
  for (const [at, expected] of golden.probabilities.entries()) {
    t.true(Math.abs(Number(first!['probabilities']!.values[at]) - expected) < 2e-6);
  }
  t.true(Object.keys(golden.gradients).length > 30);
  // A bias before a normalisation shifts what is taken off again, but for its group's other
  // channels: what is left is small beside the gradients of the planes, whose rounding it has.
  for (const [name, expected] of Object.entries(golden.gradients)) {
    const { entries, norm } = distance(
      first![`gradient/${name}`]!.values as Float32Array,
      expected,
    );
    t.true(entries < 2e-5, `${name}: entries differ by ${entries}`);
    t.true(norm < 1e-5, `${name}: norm differs by ${norm}`);
  }
});

test('ten Adam steps of resnet-small follow PyTorch', async (t) => {
  const { outputs, state } = await runSteps(network, 10, {});
  for (const [index, loss] of golden.losses.entries()) {
    const got = Number(outputs[index]!['loss']!.values[0]);
    t.true(Math.abs(got - loss) < (index < 5 ? 2e-6 : 2e-5), `step ${index + 1}: ${got}, ${loss}`);
  }
  for (const [name, expected] of Object.entries(golden.parametersAfterTenSteps)) {
    const { norm } = distance(state[name]!.values as Float32Array, expected);
    t.true(norm < 1e-4, `${name}: norm differs by ${norm}`);
  }
});

test('frames give a residual network the same step however many go at once', async (t) => {
  const [whole] = (await runSteps(network, 1, { framesAtOnce: 3 })).outputs;
  const [single] = (await runSteps(network, 1, { framesAtOnce: 1 })).outputs;
  for (const name of Object.keys(golden.gradients)) {
    const expected = [...(whole![`gradient/${name}`]!.values as Float32Array)];
    const got = single![`gradient/${name}`]!.values as Float32Array;
    t.true(distance(got, expected).entries < 1e-5, name);
  }
});

/** Steps of the golden weights and inputs, in one session. */
async function runSteps(
  of: Network,
  count: number,
  options: { readonly framesAtOnce?: number },
): Promise<{
  readonly outputs: readonly Record<string, GraphTensor>[];
  readonly state: Readonly<Record<string, GraphTensor>>;
}> {
  const step = buildTrainingStep(of, {
    batchSize: golden.frames,
    withGradients: true,
    ...options,
  });
  const weights = goldenParameters(of);
  let state: Record<string, GraphTensor> = Object.fromEntries(
    step.inputs
      .filter(({ name }) => step.stateNames.includes(name))
      .map(({ name, shape }) => {
        const bound = shape.map(Number);
        const length = bound.reduce((all, size) => all * size, 1);
        const values = weights.get(name)?.values ?? new Float32Array(length);
        return [name, { type: 'float32', shape: bound, values }];
      }),
  );
  const runner = await createOnnxGraphRunner(step.model, { threads: 2 });
  const outputs: Record<string, GraphTensor>[] = [];
  for (let at = 1; at <= count; at += 1) {
    const results = { ...(await runner.run({ ...state, ...goldenInputs(golden, step, at) })) };
    outputs.push(results);
    state = Object.fromEntries(step.stateNames.map((name) => [name, results[`next/${name}`]!]));
  }
  await runner.close();
  return { outputs, state };
}
