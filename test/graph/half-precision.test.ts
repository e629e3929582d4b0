import test, { type ExecutionContext } from 'ava';
import { createOnnxGraphRunner } from '../../src/engines/index.js';
import {
  AttributeProto,
  AttributeProto_AttributeType,
  ModelProto,
  NodeProto,
  TensorProto,
  TensorProto_DataType,
} from '../../src/gen/onnx/onnx.js';
import { toHalfBits } from '../../src/graph/float16.js';
import {
  buildInference,
  descriptorParts,
  initialiseParameters,
  type Network,
  type Parameters,
  toHalfPrecision,
} from '../../src/graph/index.js';
import { createNetwork, networks } from '../../src/training/networks/index.js';
import { smallNetwork, somePixels } from './small-network.js';

const { FLOAT, FLOAT16, INT64, UINT8 } = TensorProto_DataType;
const size = { channels: 4, heightPx: 40, widthPx: 40, labelCount: 5 };

function fromHalfBits(bits: number): number {
  const [exponent, fraction] = [(bits >>> 10) & 31, bits & 0x3ff];
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** What both graphs answer to one input. */
async function answers(model: Uint8Array, pixels: Uint8Array, shape: readonly number[]) {
  const results: Readonly<Record<string, readonly number[]>>[] = [];
  for (const bytes of [model, toHalfPrecision(model)]) {
    const runner = await createOnnxGraphRunner(bytes, { threads: 1 });
    const outputs = await runner.run({ pixels: { type: 'uint8', shape, values: pixels } });
    await runner.close();
    const lists = Object.entries(outputs).map(([name, { values }]) => [
      name,
      Array.from(values, Number),
    ]);
    results.push(Object.fromEntries(lists));
  }
  return results as [(typeof results)[number], (typeof results)[number]];
}

function assertClose(
  t: ExecutionContext,
  one: readonly number[],
  two: readonly number[],
  by: number,
) {
  t.is(one.length, two.length);
  for (const [at, value] of one.entries()) {
    t.true(Math.abs(value - (two[at] ?? Number.NaN)) <= by, `${value} and ${two[at]} at ${at}`);
  }
}

test('a number becomes the nearest half, as the runtime rounds', async (t) => {
  // Every exponent, ties among them, and what is at the borders of the range.
  const bits = Uint32Array.from({ length: 40_000 }, (_, at) => {
    const random = Math.imul(at + 1, 2654435761) >>> 0;
    return at % 4 === 0 ? (random & 0xffffe000) | 0x1000 : random;
  });
  const border = [
    0,
    -0,
    65504,
    65519.996,
    65520,
    -65520,
    2 ** -14,
    2 ** -24,
    2 ** -25,
    1.5 * 2 ** -24,
  ];
  const values = Float32Array.of(...new Float32Array(bits.buffer), ...border, Infinity, Number.NaN);
  const graph = modelOf({
    initializer: [],
    input: ['values', FLOAT, [values.length]],
    output: ['back', FLOAT, [values.length]],
    node: [
      node('Cast', ['values'], ['half'], { to: FLOAT16 }),
      node('Cast', ['half'], ['back'], { to: FLOAT }),
    ],
  });
  const runner = await createOnnxGraphRunner(graph, { threads: 1 });
  const { back } = await runner.run({
    values: { type: 'float32', shape: [values.length], values },
  });
  await runner.close();
  const differ = Array.from(values, (value, at) => ({
    value,
    here: fromHalfBits(toHalfBits(value)),
    there: Number(back?.values[at]),
  })).filter(({ here, there }) => !Object.is(here, there));
  t.deepEqual(differ, []);
});

for (const name of Object.keys(networks)) {
  test(`${name} answers with convolutions in half precision as in full`, async (t) => {
    const network = createNetwork(name, size);
    const { ofPixels, ofEmbedding } = descriptorParts(network);
    const length = ofPixels + ofEmbedding;
    const kernel = new Float32Array(length * length);
    // As large as an inverse covariance of still activations: beyond the range of half.
    for (let at = 0; at < length; at += 1) kernel[at * length + at] = 1e5;
    const whitening = { kernel, bias: new Float32Array(length) };
    const model = buildInference(network, initialiseParameters(network, 3), { whitening });
    const half = toHalfPrecision(model);
    const graph = ModelProto.decode(half).graph!;
    const types = new Map(graph.initializer.map((tensor) => [tensor.name, tensor.dataType]));
    t.is(types.get('distance/kernel'), FLOAT, 'the head of distances is in full');
    const convolutions = graph.node.filter(({ opType }) => opType === 'Conv');
    t.true(convolutions.length > 0);
    for (const { input } of convolutions) t.is(types.get(input[1]), FLOAT16);
    const last = graph.node.find(({ output }) => output[0] === 'probabilities')!;
    const logits = graph.node.find(({ output }) => output[0] === last.input[0])!;
    t.is(types.get(logits.input[1]), FLOAT, 'the last layer is in full');

    const shape = [3, 4, 40, 40];
    const [full, halved] = await answers(model, somePixels(3, network.inputShape), shape);
    assertClose(t, full['probabilities']!, halved['probabilities']!, 1e-3);
    t.true(new Set(full['probabilities']).size > 5, 'answers that differ');
    for (const [row, distance] of full['distance']!.entries()) {
      const share = Math.abs(halved['distance']![row]! / distance - 1);
      t.true(share < 2e-3, `the distance moved by ${share}`);
    }
  });
}

test('a graph of others keeps its types: shapes, bodies, norms and heads stay as they were', async (t) => {
  const values = (count: number, by: number) =>
    Array.from({ length: count }, (_, at) => (((at * 37) % 23) - 11) * by);
  const model = modelOf({
    input: ['pixels', UINT8, ['N', 2, 8, 8]],
    output: ['probabilities', FLOAT, ['N', 3]],
    initializer: [
      floats('scale', [], [1 / 255]),
      floats('kernel', [4, 2, 3, 3], values(72, 0.05)),
      floats('mixer', [2, 2, 1, 1], values(4, 0.05)),
      floats('gain', [4], [1, 2, 0.5, 1]),
      floats('bias', [4], [0.1, -0.1, 0, 0.2]),
      floats('mean', [4], [0, 0.1, 0, -0.2]),
      floats('variance', [4], [1, 0.5, 2, 1]),
      floats('scales', [4], [1, 1, 2, 2]),
      floats('weights', [64, 3], values(192, 0.02)),
      integers('halves', [2, 2]),
      integers('minusOne', [-1]),
      integers('first', [0]),
      TensorProto.fromPartial({
        name: 'always',
        dataType: TensorProto_DataType.BOOL,
        int32Data: [1],
      }),
    ],
    node: [
      node('Cast', ['pixels'], ['levels'], { to: FLOAT }),
      node('Mul', ['levels', 'scale'], ['scaled']),
      node('Conv', ['scaled', 'kernel'], ['features'], { pads: [1, 1, 1, 1] }),
      node('BatchNormalization', ['features', 'gain', 'bias', 'mean', 'variance'], ['normal']),
      node('Split', ['normal', 'halves'], ['left', 'right'], { axis: 1 }),
      node('Add', ['left', 'right'], ['sum']),
      node('Conv', ['sum', 'mixer'], ['mixed']),
      node('Resize', ['mixed', '', 'scales'], ['large'], {}),
      node('MaxPool', ['large'], ['pooled', 'places'], { kernel_shape: [2, 2], strides: [2, 2] }),
      // A body reads what was computed in half outside of it.
      NodeProto.fromPartial({
        opType: 'If',
        name: 'branch',
        input: ['always'],
        output: ['chosen'],
        attribute: ['then_branch', 'else_branch'].map((name, index) =>
          AttributeProto.fromPartial({
            name,
            type: AttributeProto_AttributeType.GRAPH,
            g: {
              name,
              node: [node(index === 0 ? 'Relu' : 'Neg', ['sum'], [`${name}/out`])],
              output: [{ name: `${name}/out` }],
            },
          }),
        ),
      }),
      node('Concat', ['pooled', 'chosen'], ['joined'], { axis: 1 }),
      node('MaxPool', ['joined'], ['small'], { kernel_shape: [2, 2], strides: [2, 2] }),
      // The way of shapes is int64 and goes through operators that carry.
      node('Shape', ['small'], ['shape']),
      node('Gather', ['shape', 'first'], ['rows']),
      node('Concat', ['rows', 'minusOne'], ['flatShape'], { axis: 0 }),
      node('Reshape', ['small', 'flatShape'], ['flat']),
      node('MatMul', ['flat', 'weights'], ['logits']),
      node('Softmax', ['logits'], ['probabilities'], { axis: 1 }),
    ],
  });
  const half = ModelProto.decode(toHalfPrecision(model)).graph!;
  const halved = half.node.filter(({ output }) => output[0]?.endsWith('/half'));
  const kinds = new Set(halved.map(({ opType }) => opType));
  t.deepEqual([...kinds].sort(), ['Add', 'BatchNormalization', 'Cast', 'Conv', 'Split']);
  t.false(kinds.has('Resize') || kinds.has('Concat') || kinds.has('MatMul'));
  const [full, got] = await answers(model, somePixels(2, [2, 8, 8]), [2, 2, 8, 8]);
  assertClose(t, full['probabilities']!, got['probabilities']!, 2e-3);
  t.true(Math.abs(full['probabilities']![0]! - full['probabilities']![3]!) > 1e-4);
});

test('a weight that half precision cannot hold is named', (t) => {
  const parameters = new Map(initialiseParameters(smallNetwork, 1));
  const { shape, values } = parameters.get('conv1/kernel')!;
  parameters.set('conv1/kernel', { shape, values: values.map((value) => value * 1e7) });
  t.throws(() => toHalfPrecision(buildInference(smallNetwork, parameters as Parameters)), {
    code: 'unsupported',
    message: /^conv1\/kernel has \d+.*, and half precision ends at 65504$/,
  });
});

test('a graph that would gain nothing is refused, as are very old ones', (t) => {
  const dense: Network = {
    name: 'dense',
    inputShape: [1, 2, 2],
    layers: [{ kind: 'flatten' }, { kind: 'dense', name: 'dense1', units: 2 }],
  };
  const model = buildInference(dense, initialiseParameters(dense, 1));
  t.throws(() => toHalfPrecision(model), {
    code: 'unsupported',
    message: 'it has no convolution or product to run in half',
  });
  const old = ModelProto.decode(model);
  old.opsetImport = [{ domain: '', version: 6 }];
  t.throws(() => toHalfPrecision(ModelProto.encode(old).finish()), {
    code: 'unsupported',
    message: 'expected ONNX operators 7 or newer, got 6',
  });
});

type Port = readonly [
  name: string,
  type: TensorProto_DataType,
  shape: readonly (number | string)[],
];

function modelOf({
  input,
  output,
  ...graph
}: {
  readonly input: Port;
  readonly output: Port;
  readonly initializer: TensorProto[];
  readonly node: NodeProto[];
}): Uint8Array {
  const port = ([name, elemType, shape]: Port) => {
    const dim = shape.map((one) => ({
      value:
        typeof one === 'string'
          ? ({ $case: 'dimParam', value: one } as const)
          : ({ $case: 'dimValue', value: one } as const),
    }));
    return {
      name,
      type: { value: { $case: 'tensorType', value: { elemType, shape: { dim } } } },
    } as const;
  };
  const model = ModelProto.fromPartial({
    irVersion: 9,
    opsetImport: [{ domain: '', version: 19 }],
    graph: { name: 'others', input: [port(input)], output: [port(output)], ...graph },
  });
  return ModelProto.encode(model).finish();
}

function node(
  opType: string,
  input: string[],
  output: string[],
  attributes: Readonly<Record<string, number | readonly number[]>> = {},
): NodeProto {
  const attribute = Object.entries(attributes).map(([name, value]) =>
    typeof value === 'number'
      ? AttributeProto.fromPartial({ name, type: AttributeProto_AttributeType.INT, i: value })
      : AttributeProto.fromPartial({
          name,
          type: AttributeProto_AttributeType.INTS,
          ints: [...value],
        }),
  );
  return NodeProto.fromPartial({ opType, name: output[0] ?? '', input, output, attribute });
}

const floats = (name: string, dims: number[], floatData: number[]) =>
  TensorProto.fromPartial({ name, dims, dataType: FLOAT, floatData });
const integers = (name: string, int64Data: number[]) =>
  TensorProto.fromPartial({ name, dims: [int64Data.length], dataType: INT64, int64Data });
