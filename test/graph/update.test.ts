import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { createOnnxGraphRunner, type GraphTensor } from '../../src/engines/index.js';
import { ModelProto } from '../../src/gen/onnx/onnx.js';
import { buildTrainingStep, type TrainingStepOptions } from '../../src/graph/index.js';
import { packageRoot } from '../../src/package-root.js';
import {
  distance,
  type GoldenTensor,
  goldenInputs,
  goldenParameters,
  networkOf,
  readGolden,
} from './golden.js';

interface GoldenUpdate {
  readonly clipNorm: number;
  readonly weightDecay: number;
  readonly emaDecay: number;
  readonly norms: readonly number[];
  readonly parameters: Readonly<Record<string, GoldenTensor>>;
  readonly averages: Readonly<Record<string, GoldenTensor>>;
}

const choices: Readonly<Record<string, GoldenUpdate>> = JSON.parse(
  readFileSync(join(packageRoot, 'test/golden/trainer-choices.json'), 'utf8'),
);
const small = readGolden('small');
const network = networkOf(small);

for (const name of ['adam', 'adamw']) {
  test(`ten steps of ${name} with clipping and averages end where PyTorch ends`, async (t) => {
    const golden = choices[name]!;
    const { clipNorm, norms } = golden;
    t.true(
      norms.some((norm) => norm > clipNorm) && norms.some((norm) => norm < clipNorm),
      'steps on either side of the bound',
    );
    const state = await run({ ...golden, clipNorm }, 10);
    for (const [parameter, expected] of Object.entries(golden.parameters)) {
      assertNear(state[parameter]!, expected, parameter);
      assertNear(state[`${parameter}/ema`]!, golden.averages[parameter]!, `${parameter}/ema`);
    }

    /** Float32 rounding of about 1e-7, carried on through ten steps. */
    function assertNear(got: GraphTensor, expected: GoldenTensor, what: string): void {
      const { entries, norm } = distance(got.values as Float32Array, expected);
      t.true(entries < 4e-6, `${what}: entries differ by ${entries}`);
      t.true(norm < 2e-6, `${what}: norm differs by ${norm}`);
    }
  });
}

test('weight decay takes its part of kernels and spares biases', async (t) => {
  const before = await run({}, 0);
  const [plain, decayed] = [await run({}, 1), await run({ weightDecay: 0.5 }, 1)];
  for (const [name, { values, shape }] of Object.entries(before)) {
    if (/\/[mv]$/.test(name)) continue;
    // The first step's rate is 1e-3, the decay of a half takes 5e-4 of each weight.
    const expected = [...(plain[name]!.values as Float32Array)].map(
      (value, at) => value - (shape.length > 1 ? 5e-4 * Number(values[at]) : 0),
    );
    const got = decayed[name]!.values as Float32Array;
    t.true(distance(got, expected).entries < 1e-6, name);
  }
});

test('without its options a step has neither averages nor a norm', (t) => {
  const plain = opTypesOf({});
  t.false(plain.includes('ReduceSumSquare'));
  t.false(stepOf({}).stateNames.some((name) => name.endsWith('/ema')));
  t.deepEqual([...stepOf({}).servedNames.values()], stepOf({}).parameterNames);
  t.true(opTypesOf({ clipNorm: 1 }).includes('ReduceSumSquare'));
});

test('frozen layers stay as they are, and the rest learns as before', async (t) => {
  const before = await run({}, 0);
  const options = { frozenLayers: ['conv1', 'dense*'], emaDecay: 0.9, weightDecay: 0.5 };
  const after = await run(options, 1);
  const whole = await run({ ...options, frozenLayers: [] }, 1);
  for (const name of stepOf({}).parameterNames) {
    const isFrozen = name.startsWith('conv1/') || name.startsWith('dense');
    t.is(`${name}/m` in after, !isFrozen, name);
    if (isFrozen) t.deepEqual(after[name]!.values, before[name]!.values, name);
    else t.deepEqual(after[name]!.values, whole[name]!.values, name);
  }
});

test('no gradient is written for frozen layers, nor before the first that learns', (t) => {
  const count = (frozenLayers: readonly string[], type: string) =>
    opTypesOf({ frozenLayers }).filter((each) => each === type).length;
  const gradients = (layers: readonly string[]) =>
    stepOf({ frozenLayers: layers, withGradients: true }).outputs.filter(({ name }) =>
      name.startsWith('gradient/'),
    ).length;
  t.is(gradients([]), 10);
  t.is(gradients(['conv1', 'conv2', 'conv3']), 4);
  // The way back through three convolutions and a pool, against none at all.
  t.true(count([], 'MaxUnpool') > 0);
  t.is(count(['conv*'], 'MaxUnpool'), 0);
  t.is(count(['conv*'], 'ConvTranspose'), 0);
  // A frozen layer behind one that learns passes the gradient on.
  t.true(count(['conv2'], 'MaxUnpool') > 0);
});

test('layers that are not there cannot be frozen, nor can all of them', (t) => {
  t.throws(() => stepOf({ frozenLayers: ['conv', 'conv1', 'block*'] }), {
    code: 'option_invalid',
    message:
      'freeze: expected layers of golden (conv1, conv2, conv3, dense1, dense2), got conv, block*',
  });
  t.throws(() => stepOf({ frozenLayers: ['*'] }), {
    code: 'option_invalid',
    message: 'freeze: expected a layer that is left to learn',
  });
});

type Options = Partial<TrainingStepOptions>;

const stepOf = (options: Options) =>
  buildTrainingStep(network, { batchSize: small.frames, ...options });

const opTypesOf = (options: Options): readonly string[] =>
  ModelProto.decode(stepOf(options).model).graph!.node.map(({ opType = '' }) => opType);

/** What the golden steps make of the golden weights, by name. */
async function run(options: Options, steps: number): Promise<Record<string, GraphTensor>> {
  const step = stepOf(options);
  const weights = goldenParameters(network);
  let state = Object.fromEntries(
    step.inputs
      .filter(({ name }) => weights.has(name) || step.stateNames.includes(name))
      .map(({ name, shape }) => {
        const bound = shape.map(Number);
        const count = bound.reduce((all, size) => all * size, 1);
        const start = weights.get(name) ?? weights.get(name.replace(/\/ema$/, ''));
        const values = start?.values ?? new Float32Array(count);
        return [name, { type: 'float32', shape: bound, values } as GraphTensor];
      }),
  );
  const runner = await createOnnxGraphRunner(step.model, { threads: 1 });
  for (let at = 1; at <= steps; at += 1) {
    const outputs = await runner.run({ ...state, ...goldenInputs(small, step, at) });
    const next = step.stateNames.map((name) => [name, outputs[`next/${name}`]!] as const);
    state = { ...state, ...Object.fromEntries(next) };
  }
  await runner.close();
  return state;
}
