import test from 'ava';
import { createOnnxGraphRunner, type GraphTensor } from '../../src/engines/index.js';
import { createGraphBuilder } from '../../src/graph/graph-builder.js';
import type { Operator } from '../../src/graph/operator.js';
import { operators } from '../../src/graph/operators/index.js';
import { type Numbers, type OperatorCase, operatorCases } from './operator-cases.js';

// Float32 keeps 7 digits; the longest sums here have about 100 terms of size 1.
const tolerance = 2e-5;

for (const [name, operator] of Object.entries<Operator>(operators)) {
  for (const example of operatorCases[name as keyof typeof operators]) {
    test(`${name} of ${example.title} agrees with its definition, forward and backward`, async (t) => {
      const cotangent = Float64Array.from(
        { length: example.outputShape.reduce((all, size) => all * size, 1) },
        (_, i) => Math.fround(Math.cos(i * 7.31) + 0.2),
      );
      const { output, gradients } = await runInOnnxRuntime(operator, example, cotangent);

      const inputs = example.inputs.map(({ values }) => values);
      t.deepEqual(output.shape, example.outputShape);
      t.true(largestDifference(output.values, example.reference(inputs)) < tolerance);
      for (const [index, gradient] of gradients.entries()) {
        const isDifferentiable = example.differentiable[index]!;
        t.is(gradient !== null, isDifferentiable, `input ${index}`);
        if (!gradient) continue;
        t.deepEqual(gradient.shape, example.inputs[index]!.shape);
        const expected = finiteDifferences(example, index, cotangent);
        t.true(
          expected.some((value) => value !== 0),
          'the case would not notice a zero gradient',
        );
        const difference = largestDifference(gradient.values, expected);
        t.true(difference < tolerance, `input ${index} differs by ${difference}`);
      }
    });
  }

  test(`${name} tells its output's shape beforehand, and the source of its formulas`, (t) => {
    for (const { inputs, attributes = {}, outputShape } of operatorCases[
      name as keyof typeof operators
    ]) {
      const shapes = inputs.map(({ shape }) => shape);
      t.deepEqual(operator.shape(shapes, attributes), outputShape);
    }
    t.regex(operator.source, /\d/, 'a year, a version or a number of a paper');
  });
}

for (const name of ['conv2d', 'dense'] as const) {
  test(`${name} writes only the gradients that are wanted`, (t) => {
    for (const wantedIndex of [0, 1, 2]) {
      const { inputs } = operatorCases[name][0]!;
      const builder = createGraphBuilder(name);
      const values = inputs.map(({ type, shape }, at) => builder.input(`in${at}`, type, shape));
      const forward = operators[name].forward(builder, values, {});
      const wanted = values.map((_, at) => at === wantedIndex);
      const gradients = operators[name].backward(
        builder,
        { ...forward, inputs: values, attributes: {}, wanted },
        builder.input('outputGradient', 'float32', forward.output.shape),
      );
      t.deepEqual(
        gradients.map((gradient) => gradient !== null),
        wanted,
      );
    }
  });
}

test('of equal elements of a window the first gets the gradient, with and without indices', async (t) => {
  const [example] = operatorCases.maxPool;
  const { inputs } = example!;
  const equal = inputs.map((input) => ({ ...input, values: input.values.map(() => 0.5) }));
  const cotangent = Float64Array.from({ length: 36 }, (_, i) => Math.fround(i + 0.5));
  const [indices, comparing] = await Promise.all(
    [operators.maxPool, operators.maxPoolByComparing].map((operator) =>
      runInOnnxRuntime(operator, { ...example!, inputs: equal }, cotangent),
    ),
  );
  t.deepEqual(comparing!.gradients[0]!.values, indices!.gradients[0]!.values);
  t.is(indices!.gradients[0]!.values[0], cotangent[0]);
});

/** Central differences of the reference in float64: right to about 1e-9 here. */
function finiteDifferences(
  { inputs, reference }: OperatorCase,
  index: number,
  cotangent: Float64Array,
): Float64Array {
  const step = 1e-6;
  const values = inputs.map((input) => input.values.slice());
  const varied = values[index]!;
  const projected = (): number =>
    reference(values).reduce((sum, value, at) => sum + value * cotangent[at]!, 0);
  return varied.map((value, at) => {
    varied[at] = value + step;
    const above = projected();
    varied[at] = value - step;
    const below = projected();
    varied[at] = value;
    return (above - below) / (2 * step);
  });
}

async function runInOnnxRuntime(
  operator: Operator,
  { inputs, attributes = {}, differentiable, outputShape }: OperatorCase,
  cotangent: Float64Array,
) {
  const builder = createGraphBuilder('one operator');
  const values = inputs.map(({ type, shape }, index) => builder.input(`in${index}`, type, shape));
  const forward = operator.forward(builder, values, attributes);
  builder.output('output', forward.output);
  const application = { ...forward, inputs: values, attributes, wanted: differentiable };
  const outputGradient = builder.input('outputGradient', 'float32', outputShape);
  const gradients = operator.backward(builder, application, outputGradient);
  for (const [index, gradient] of gradients.entries()) {
    if (gradient) builder.output(`gradient${index}`, gradient);
  }
  const runner = await createOnnxGraphRunner(builder.toModel(), { threads: 1 });
  const results = await runner.run({
    ...Object.fromEntries(inputs.map((input, index) => [`in${index}`, toGraphTensor(input)])),
    outputGradient: toGraphTensor({ type: 'float32', shape: outputShape, values: cotangent }),
  });
  await runner.close();
  return {
    output: results['output']!,
    gradients: gradients.map((gradient, index) => gradient && results[`gradient${index}`]!),
  };
}

function toGraphTensor({ type, shape, values }: Numbers): GraphTensor {
  return type === 'uint8'
    ? { type, shape, values: Uint8Array.from(values) }
    : { type, shape, values: Float32Array.from(values) };
}

function largestDifference(got: GraphTensor['values'], expected: Float64Array): number {
  if (got.length !== expected.length) return Number.POSITIVE_INFINITY;
  return expected.reduce((most, value, at) => Math.max(most, Math.abs(value - Number(got[at]))), 0);
}
