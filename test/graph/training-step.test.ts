import test, { type ExecutionContext } from 'ava';
import { createOnnxGraphRunner, type GraphTensor } from '../../src/engines/index.js';
import { ModelProto } from '../../src/gen/onnx/onnx.js';
import {
  buildTrainingStep,
  type Network,
  type TrainingStep,
  type TrainingStepOptions,
} from '../../src/graph/index.js';
import {
  distance,
  type Golden,
  type GoldenTensor,
  goldenInputs,
  goldenParameters,
  networkOf,
  readGolden,
} from './golden.js';

type Tensors = Record<string, GraphTensor>;

test('a small network has the loss and the gradients that PyTorch gives', async (t) => {
  const golden = readGolden('small');
  // Groups of 2 and 1 frames.
  const { outputs } = await runSteps(golden, { framesAtOnce: 2 }, 1);
  assertFirstStep(t, golden, outputs[0]!);
});

test('ten Adam steps of a small network end where PyTorch ends', async (t) => {
  const golden = readGolden('small');
  const { outputs, state } = await runSteps(golden, {}, 10);
  // Float32 rounding of about 1e-7, carried on through ten steps.
  for (const [index, loss] of golden.losses.entries()) near(t, lossOf(outputs[index]!), loss, 1e-6);
  const [parameters, m, v] = statesOf(golden);
  assertTensors(t, parameters, (name) => state[name]!, 2e-6);
  assertTensors(t, m, (name) => state[`${name}/m`]!, 2e-6);
  assertTensors(t, v, (name) => state[`${name}/v`]!, 2e-6);
});

test("the seed's whole network has the loss and the gradients that PyTorch gives", async (t) => {
  const golden = readGolden('seed-cnn');
  const { outputs } = await runSteps(golden, { framesAtOnce: 2 }, 1);
  assertFirstStep(t, golden, outputs[0]!);
});

test("ten Adam steps of the seed's whole network follow PyTorch", async (t) => {
  const golden = readGolden('seed-cnn');
  const { outputs, state } = await runSteps(golden, {}, 10);
  // Of some million activations a few lie within rounding of zero, and Adam's first
  // steps have one size whatever the gradient's: from the sixth step on, float32 and
  // float64 part by up to 2e-5 in the loss and 2e-3 of the largest weight.
  for (const [index, loss] of golden.losses.entries()) {
    near(t, lossOf(outputs[index]!), loss, index < 5 ? 1e-6 : 1e-4);
  }
  const [parameters, m, v] = statesOf(golden);
  assertTensors(t, parameters, (name) => state[name]!, 1e-2, 1e-3);
  assertTensors(t, m, (name) => state[`${name}/m`]!, 5e-2, 2e-2);
  assertTensors(t, v, (name) => state[`${name}/v`]!, 5e-2, 2e-2);
});

test('frames give the same step however many go at once', async (t) => {
  const golden = readGolden('small');
  const [whole] = (await runSteps(golden, { framesAtOnce: 3 }, 1)).outputs;
  for (const framesAtOnce of [1, 2, 100]) {
    const [grouped] = (await runSteps(golden, { framesAtOnce }, 1)).outputs;
    for (const name of Object.keys(golden.gradients)) {
      const expected = [...(whole![`gradient/${name}`]!.values as Float32Array)];
      // Only the order of the sums differs.
      const got = grouped![`gradient/${name}`]!.values as Float32Array;
      t.true(distance(got, expected).entries < 1e-6, name);
    }
  }
});

test('a device without Sum gets a step without one, with the loss and the gradients of PyTorch', async (t) => {
  const golden = readGolden('small');
  const options = { framesAtOnce: 1, framesPerPass: 2, lacks: ['sum'] } as const;
  const { outputs } = await runSteps(golden, options, 1);
  assertFirstStep(t, golden, outputs[0]!);
  const operatorsOf = (more: Partial<TrainingStepOptions>) => {
    const { model } = buildTrainingStep(networkOf(golden), { batchSize: 3, ...options, ...more });
    return new Set(ModelProto.decode(model).graph?.node.map(({ opType }) => opType));
  };
  t.false(operatorsOf({}).has('Sum'));
  t.true(operatorsOf({ lacks: [] }).has('Sum'));
});

test('frames of weight 0 change no bit of a step, whatever is in them', async (t) => {
  const golden = readGolden('small');
  const step = buildTrainingStep(networkOf(golden), { batchSize: 3, withGradients: true });
  const run = async (filling: number): Promise<Tensors> => {
    const inputs = goldenInputs(golden, step, 1);
    (inputs['frameWeights']!.values as Float32Array)[2] = 0;
    const pixels = inputs['pixels']!.values as Uint8Array;
    pixels.fill(filling, (pixels.length / 3) * 2);
    (inputs['targets']!.values as Float32Array).fill(filling === 0 ? 0 : 1, 6);
    return (await runInputs(step, [{ ...firstState(golden, step), ...inputs }]))[0]!;
  };
  const [empty, noisy] = [await run(0), await run(201)];
  for (const [name, tensor] of Object.entries(empty)) {
    if (name !== 'probabilities') t.deepEqual(noisy[name]!.values, tensor.values, name);
  }

  const two = buildTrainingStep(networkOf(golden), { batchSize: 2, withGradients: true });
  const inputs = goldenInputs({ ...golden, frames: 2 }, two, 1);
  const [alone] = await runInputs(two, [{ ...firstState(golden, two), ...inputs }]);
  near(t, lossOf(empty), lossOf(alone!), 1e-7);
  for (const name of step.parameterNames) {
    const expected = [...(alone![`gradient/${name}`]!.values as Float32Array)];
    const got = empty[`gradient/${name}`]!.values as Float32Array;
    t.true(distance(got, expected).entries < 1e-6, name);
  }
});

test('the same step in two sessions of two threads gives the same bits', async (t) => {
  const golden = readGolden('small');
  const [first, second] = [await runSteps(golden, {}, 3), await runSteps(golden, {}, 3)];
  t.deepEqual(first.state, second.state);
});

test('one channel, one label, one frame and no dropout make a step too', async (t) => {
  const network: Network = {
    name: 'least',
    inputShape: [1, 4, 5],
    layers: [{ kind: 'flatten' }, { kind: 'dense', name: 'only', units: 1 }],
  };
  const step = buildTrainingStep(network, { batchSize: 1 });
  t.deepEqual(step.parameterNames, ['only/kernel', 'only/bias']);
  const golden = { ...readGolden('small'), frames: 1, labels: 1, inputShape: [1, 4, 5] as const };
  const [outputs] = await runInputs(step, [
    { ...firstState(golden, step, network), ...goldenInputs({ ...golden }, step, 1) },
  ]);
  t.true(Number.isFinite(lossOf(outputs!)));
});

test('a batch size that is no whole number above zero is refused', (t) => {
  const network = networkOf(readGolden('small'));
  for (const batchSize of [0, -1, 1.5, Number.NaN]) {
    t.throws(() => buildTrainingStep(network, { batchSize }), {
      message: `expected a batch size of at least 1, got ${batchSize}`,
    });
  }
});

function assertFirstStep(t: ExecutionContext, golden: Golden, outputs: Tensors): void {
  near(t, lossOf(outputs), golden.losses[0]!, 1e-6);
  for (const [at, expected] of golden.probabilities.entries()) {
    near(t, Number(outputs['probabilities']!.values[at]), expected, 1e-6);
  }
  // Measured: 5e-7 of the largest entry, which is float32's rounding.
  assertTensors(t, golden.gradients, (name) => outputs[`gradient/${name}`]!, 2e-6);
}

function assertTensors(
  t: ExecutionContext,
  golden: Readonly<Record<string, GoldenTensor>>,
  find: (name: string) => GraphTensor,
  tolerance: number,
  normTolerance = tolerance,
): void {
  t.true(Object.keys(golden).length > 0);
  for (const [name, expected] of Object.entries(golden)) {
    const { entries, norm, sum } = distance(find(name).values as Float32Array, expected);
    t.true(entries < tolerance, `${name}: entries differ by ${entries}`);
    t.true(norm < normTolerance, `${name}: norm differs by ${norm}`);
    t.true(sum < normTolerance, `${name}: sum differs by ${sum}`);
  }
}

const statesOf = (golden: Golden) =>
  [
    golden.parametersAfterTenSteps,
    golden.firstMomentsAfterTenSteps,
    golden.secondMomentsAfterTenSteps,
  ] as const;

const lossOf = (outputs: Tensors): number => Number(outputs['loss']!.values[0]);

function near(t: ExecutionContext, got: number, expected: number, tolerance: number): void {
  t.true(Math.abs(got - expected) <= tolerance, `expected ${expected}, got ${got}`);
}

/** Golden weights and empty slots. */
function firstState(golden: Golden, step: TrainingStep, network = networkOf(golden)): Tensors {
  const weights = goldenParameters(network);
  return Object.fromEntries(
    step.inputs
      .filter(({ name }) => step.stateNames.includes(name))
      .map(({ name, shape }) => {
        const bound = shape.map(Number);
        const count = bound.reduce((all, size) => all * size, 1);
        const values = weights.get(name)?.values ?? new Float32Array(count);
        return [name, { type: 'float32', shape: bound, values }];
      }),
  );
}

/** Runs each set of inputs in one session. */
async function runInputs(step: TrainingStep, inputSets: readonly Tensors[]): Promise<Tensors[]> {
  const runner = await createOnnxGraphRunner(step.model, { threads: 2 });
  const outputs: Tensors[] = [];
  for (const inputs of inputSets) outputs.push(await runner.run(inputs));
  await runner.close();
  return outputs;
}

async function runSteps(
  golden: Golden,
  options: Omit<TrainingStepOptions, 'batchSize'>,
  count: number,
): Promise<{ readonly outputs: readonly Tensors[]; readonly state: Tensors }> {
  const step = buildTrainingStep(networkOf(golden), {
    batchSize: golden.frames,
    withGradients: true,
    ...options,
  });
  const runner = await createOnnxGraphRunner(step.model, { threads: 2 });
  const outputs: Tensors[] = [];
  let state = firstState(golden, step);
  for (let at = 1; at <= count; at += 1) {
    const results = await runner.run({ ...state, ...goldenInputs(golden, step, at) });
    outputs.push(results);
    state = Object.fromEntries(step.stateNames.map((name) => [name, results[`next/${name}`]!]));
  }
  await runner.close();
  return { outputs, state };
}
