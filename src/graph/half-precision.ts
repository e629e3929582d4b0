import { DomainError } from '../errors.js';
import {
  AttributeProto,
  AttributeProto_AttributeType,
  type GraphProto,
  ModelProto,
  NodeProto,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProto as TensorProtoMessage,
} from '../gen/onnx/onnx.js';
import { largestHalf, toHalves } from './float16.js';
import { halfOperators } from './half-operators.js';

const { FLOAT, FLOAT16 } = TensorProto_DataType;

/**
 * The same network in half precision: operators of `halfOperators` read and give float16,
 * their weights with them, and everything else stays as it is, with casts between. So inputs
 * and outputs keep their types, pixels are scaled in float32 before the first convolution,
 * and dense layers, means, deviations and the distance are computed in float32.
 *
 * Takes any ONNX model. What it does not know stays in float32, bodies of If and Loop too.
 * Nothing is promised of the values: whoever serves it compares answers first.
 *
 * Throws `unsupported` for a graph without anything to gain, and for a weight that half
 * precision cannot hold.
 */
export function toHalfPrecision(model: Uint8Array): Uint8Array {
  const proto = ModelProto.decode(model);
  const { graph } = proto;
  const version = proto.opsetImport.find(({ domain = '' }) => isOnnx(domain))?.version ?? 0;
  // Before 7 operators broadcast by attributes.
  if (!graph || version < 7) {
    throw new DomainError('unsupported', `expected ONNX operators 7 or newer, got ${version}`);
  }
  const halved = findHalved(graph);
  if (!graph.node.some((node) => halved.has(node) && roleOf(node) === 'computes')) {
    throw new DomainError('unsupported', 'it has no convolution or product to run in half');
  }
  return ModelProto.encode({ ...proto, graph: rewrite(graph, halved) }).finish();
}

const isOnnx = (domain: string): boolean => domain === '' || domain === 'ai.onnx';

const ruleOf = ({ opType = '', domain = '' }: NodeProto) =>
  isOnnx(domain) && Object.hasOwn(halfOperators, opType) ? halfOperators[opType] : undefined;

const roleOf = (node: NodeProto) => ruleOf(node)?.role;

/** Names of the inputs of a node whose type becomes half. */
function halvedInputs(node: NodeProto): readonly string[] {
  const positions = ruleOf(node)?.inputs;
  return node.input.filter(
    (name, position) => name !== '' && (positions === undefined || positions.includes(position)),
  );
}

/** The nodes that run in half. */
function findHalved(graph: GraphProto): ReadonlySet<NodeProto> {
  const types = floatNames(graph);
  const beforeEnd = nodesBeforeEnd(graph);
  const constants = new Set(graph.initializer.map(({ name = '' }) => name));
  for (const { opType, output } of graph.node) {
    if (opType === 'Constant') for (const name of output) constants.add(name);
  }
  const halves = new Set<string>();
  const halved = new Set<NodeProto>();
  for (const node of graph.node) {
    const rule = ruleOf(node);
    const inputs = halvedInputs(node);
    if (!rule || beforeEnd.has(node) || !inputs.every((name) => types.has(name))) continue;
    const computed = inputs.filter((name) => !constants.has(name));
    const isHalf = (name: string) => halves.has(name);
    const follows = rule.wantsAll ? computed.every(isHalf) : computed.some(isHalf);
    if (rule.role === 'carries' && !(computed.length > 0 && follows)) continue;
    halved.add(node);
    halves.add(node.output[0] ?? '');
    if (node.opType === 'Split') for (const name of node.output) halves.add(name);
  }
  return halved;
}

/**
 * Values that are float32 for certain. What an operator that is not known here gives is
 * not among them, so that nothing behind it is changed until a convolution or product,
 * which all graphs of float32 feed with float32.
 */
function floatNames(graph: GraphProto): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { name = '', dataType } of graph.initializer) if (dataType === FLOAT) names.add(name);
  for (const { name = '', type } of [...graph.input, ...graph.valueInfo]) {
    if (type?.value?.$case === 'tensorType' && type.value.value.elemType === FLOAT) names.add(name);
  }
  for (const node of graph.node) {
    const attribute = (wanted: string) => node.attribute.find(({ name }) => name === wanted);
    const [first = ''] = node.output;
    if (node.opType === 'Cast') {
      if (attribute('to')?.i === FLOAT) names.add(first);
    } else if (node.opType === 'Constant') {
      const value = attribute('value')?.t;
      if (value?.dataType === FLOAT || attribute('value_float') || attribute('value_floats')) {
        names.add(first);
      }
    } else if (ruleOf(node) || sameType.has(node.opType ?? '')) {
      if (!names.has(node.input[0] ?? '')) continue;
      names.add(first);
      if (node.opType === 'Split') for (const name of node.output) names.add(name);
    }
  }
  return names;
}

/** Operators that stay in float32 and give the type of their first input. */
const sameType = new Set([
  ...['Abs', 'Ceil', 'Div', 'Elu', 'Erf', 'Exp', 'Floor', 'HardSwish', 'LayerNormalization'],
  ...['InstanceNormalization', 'Log', 'LogSoftmax', 'LRN', 'Min', 'Mish', 'Neg', 'Pow'],
  ...['Reciprocal', 'ReduceL2', 'ReduceMax', 'ReduceMean', 'ReduceMin', 'ReduceSum', 'Resize'],
  ...['Selu', 'Sigmoid', 'Softmax', 'Softplus', 'Softsign', 'Sqrt', 'Tanh', 'Tile', 'Upsample'],
  ...['GroupNormalization', 'Gelu', 'Gather', 'CumSum', 'MeanVarianceNormalization'],
]);

/**
 * Nodes whose results nobody reads but what stays in float32: computing them in half would
 * gain nothing, and lose the last digits of the logits, squares and distances. What
 * computes is left out only at the very end, where no other such node follows.
 */
function nodesBeforeEnd(graph: GraphProto): ReadonlySet<NodeProto> {
  const readers = new Map<string, NodeProto[]>();
  for (const node of graph.node) {
    for (const name of node.input) readers.set(name, [...(readers.get(name) ?? []), node]);
  }
  const found = new Set<NodeProto>();
  /** Nodes that compute, or lead to one that does. */
  const leading = new Set<NodeProto>();
  for (const node of graph.node.toReversed()) {
    const isComputing = roleOf(node) === 'computes';
    const all = node.output.flatMap((name) => readers.get(name) ?? []);
    if (isComputing || all.some((reader) => leading.has(reader))) leading.add(node);
    const isLast = (reader: NodeProto) =>
      isComputing
        ? roleOf(reader) === undefined && !leading.has(reader)
        : roleOf(reader) === undefined || found.has(reader);
    if (all.every(isLast)) found.add(node);
  }
  return found;
}

function rewrite(graph: GraphProto, halved: ReadonlySet<NodeProto>): GraphProto {
  const initializers = new Map(graph.initializer.map((tensor) => [tensor.name ?? '', tensor]));
  const taken = new Set([...initializers.keys(), ...graph.input.map(({ name = '' }) => name)]);
  for (const { output } of graph.node) for (const name of output) taken.add(name);
  const outputs = new Set(graph.output.map(({ name = '' }) => name));
  const inBodies = new Set(graph.node.flatMap(namesInBodies));
  const readInFull = new Set([...outputs, ...inBodies]);
  for (const node of graph.node) {
    const halves = new Set(halved.has(node) ? halvedInputs(node) : []);
    for (const name of node.input) if (!halves.has(name)) readInFull.add(name);
  }

  const nodes: NodeProto[] = [];
  const halfTensors: TensorProto[] = [];
  /** By the name of a value: what its form in half is called. */
  const halfNames = new Map<string, string>();
  const nameHalf = (name: string): string => {
    let own = `${name}/half`;
    while (taken.has(own)) own += '_';
    taken.add(own);
    halfNames.set(name, own);
    return own;
  };
  const inHalf = (name: string): string => {
    const known = halfNames.get(name);
    if (known !== undefined) return known;
    const tensor = initializers.get(name);
    const own = nameHalf(name);
    const converted = tensor && toHalfTensor(tensor, own);
    if (converted) halfTensors.push(converted);
    else nodes.push(castNode(name, own, FLOAT16));
    return own;
  };

  for (const node of graph.node) {
    if (!halved.has(node)) {
      nodes.push(node);
      continue;
    }
    const own = new Set(halvedInputs(node));
    const input = node.input.map((name) => (own.has(name) ? inHalf(name) : name));
    const isHalf = (index: number) => index === 0 || node.opType === 'Split';
    const given = node.output.map((name, index) =>
      name !== '' && isHalf(index) ? nameHalf(name) : name,
    );
    nodes.push({ ...node, input, output: given });
    for (const [index, name] of node.output.entries()) {
      if (!isHalf(index) || !readInFull.has(name)) continue;
      nodes.push(castNode(given[index]!, name, FLOAT));
    }
  }
  return {
    ...graph,
    node: nodes,
    initializer: [
      ...graph.initializer.filter(({ name = '' }) => readInFull.has(name) || !halfNames.has(name)),
      ...halfTensors,
    ],
    // They are hints, and would name values that are no more.
    valueInfo: [],
  };
}

/** Everything that is read in the bodies of If, Loop and Scan: they see the values outside. */
function namesInBodies(node: NodeProto): readonly string[] {
  return node.attribute.flatMap(({ g, graphs }) =>
    [...(g ? [g] : []), ...graphs].flatMap((body) => [
      ...body.output.map(({ name = '' }) => name),
      ...body.node.flatMap((inner) => [...inner.input, ...namesInBodies(inner)]),
    ]),
  );
}

/** `undefined` for a constant that lies in another file: the runtime casts it. */
function toHalfTensor(tensor: TensorProto, name: string): TensorProto | undefined {
  if (tensor.dataLocation === TensorProto_DataLocation.EXTERNAL) return undefined;
  const { rawData } = tensor;
  const values = rawData?.length
    ? new Float32Array(new Uint8Array(rawData).buffer)
    : Float32Array.from(tensor.floatData);
  const halves = toHalves(values);
  if (halves === null) {
    const most = values.reduce((large, value) => Math.max(large, Math.abs(value)), 0);
    const what = `${tensor.name} has ${most}, and half precision ends at ${largestHalf}`;
    throw new DomainError('unsupported', what);
  }
  return TensorProtoMessage.fromPartial({
    name,
    dims: tensor.dims,
    dataType: FLOAT16,
    rawData: new Uint8Array(halves.buffer),
  });
}

function castNode(from: string, to: string, type: TensorProto_DataType): NodeProto {
  return NodeProto.fromPartial({
    opType: 'Cast',
    name: `${to}/cast`,
    input: [from],
    output: [to],
    attribute: [
      AttributeProto.fromPartial({ name: 'to', type: AttributeProto_AttributeType.INT, i: type }),
    ],
  });
}
