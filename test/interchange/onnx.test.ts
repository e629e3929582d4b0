import test from 'ava';
import { DomainError } from '../../src/errors.js';
import { ModelProto } from '../../src/gen/onnx/onnx.js';
import { buildInference } from '../../src/graph/index.js';
import { readOnnx } from '../../src/interchange/index.js';
import { tinyModel } from '../engines/tiny-models.js';
import { smallCnn, trained } from './trained.js';

test('the network and the weights of a served graph are those it was built from', (t) => {
  const model = trained(smallCnn);
  const bytes = buildInference(model.network, model.parameters);
  t.deepEqual(readOnnx(bytes), model);
  t.deepEqual(readOnnx(Buffer.from(bytes)), model, 'as it is read from a file');
  const described = buildInference(model.network, model.parameters, { withDescriptor: true });
  t.deepEqual(readOnnx(described), model, 'beside another output');
});

test('a graph of other nodes is refused with the node and what is supported', (t) => {
  t.throws(() => readOnnx(tinyModel()), {
    instanceOf: DomainError,
    code: 'unsupported',
    message: /^node 2 \(ReduceMax\): .*; supported: .*Conv/,
  });
  t.throws(() => readOnnx(new Uint8Array(50)), { code: 'unsupported', message: /an ONNX model/ });
});

test('an attribute that changes what a node does is never passed over', (t) => {
  const { network, parameters } = trained(smallCnn);
  const bytes = buildInference(network, parameters);
  const changes: readonly (readonly [string, object, RegExp])[] = [
    ['Conv', { name: 'pads', ints: [1, 1, 1, 1] }, /node \d+ \(Conv\): pads 1, 1, 1, 1/],
    ['Conv', { name: 'strides', ints: [2, 2] }, /strides 2, 2/],
    ['Conv', { name: 'auto_pad', s: Buffer.from('SAME_UPPER') }, /auto_pad SAME_UPPER/],
    ['MaxPool', { name: 'ceil_mode', i: 1 }, /ceil_mode 1/],
    ['Gemm', { name: 'alpha', f: 0.5 }, /alpha is not 1/],
    ['Flatten', { name: 'axis', i: 2 }, /axis 2/],
  ];
  for (const [opType, attribute, message] of changes) {
    const model = ModelProto.decode(bytes);
    const node = model.graph?.node.find((one) => one.opType === opType);
    const { name } = attribute as { name: string };
    node!.attribute = [
      ...node!.attribute.filter((one) => one.name !== name),
      ModelProto.fromPartial({ graph: { node: [{ attribute: [attribute] }] } }).graph!.node[0]!
        .attribute[0]!,
    ];
    t.throws(() => readOnnx(ModelProto.encode(model).finish()), { code: 'unsupported', message });
  }
});

test('weights turned as PyTorch keeps them are turned back', (t) => {
  const { network, parameters } = trained(smallCnn);
  const model = ModelProto.decode(buildInference(network, parameters));
  const node = model.graph!.node.find((one) => one.opType === 'Gemm')!;
  const kernel = model.graph!.initializer.find((one) => one.name === node.input[1])!;
  const { values, shape } = parameters.get('dense1/kernel')!;
  const [rows = 0, columns = 0] = shape;
  const turned = Float32Array.from(values, (_, at) => {
    const [column, row] = [Math.floor(at / rows), at % rows];
    return values[row * columns + column]!;
  });
  kernel.dims = [columns, rows];
  kernel.rawData = new Uint8Array(turned.buffer);
  const [transB] = ModelProto.fromPartial({
    graph: { node: [{ attribute: [{ name: 'transB', i: 1 }] }] },
  }).graph!.node[0]!.attribute;
  node.attribute.push(transB!);
  t.deepEqual(readOnnx(ModelProto.encode(model).finish()).parameters, parameters);
});
