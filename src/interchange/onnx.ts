import { DomainError } from '../errors.js';
import {
  type AttributeProto,
  type GraphProto,
  ModelProto,
  type NodeProto,
  type TensorProto,
  TensorProto_DataType,
} from '../gen/onnx/onnx.js';
import { graphInputs, type Layer, type Network, planNetwork } from '../graph/index.js';
import { type ForeignTensor, type TrainedNetwork, transpose } from './weights.js';

/** What is read, for whoever has something else. */
const supported =
  'division of the pixels by 255, Conv (square, stride 1, no padding), Relu, MaxPool, Flatten, Gemm, Dropout, and a Sigmoid at the end';

/**
 * Reads the network and the weights back from the ONNX graph that is served, or from one
 * made elsewhere of the same operators: the opposite of `buildInference`. Dropouts are not
 * in such a graph, and so not in the network.
 *
 * Throws `unsupported`, naming the node and what is supported, for any other graph.
 */
export function readOnnx(model: Uint8Array): TrainedNetwork {
  const graph = decode(model);
  const constants = new Map(
    graph.initializer.map((tensor) => [tensor.name ?? '', tensor] as const),
  );
  const inputs = graph.input.filter(({ name }) => !constants.has(name ?? ''));
  const [input] = inputs;
  const output =
    graph.output.length === 1
      ? graph.output[0]
      : graph.output.find(({ name }) => name === 'probabilities');
  if (!input || inputs.length > 1 || !output) {
    const outputs = graph.output.map(({ name }) => name).join(', ');
    throw fault(`expected one input and one output, got ${inputs.length} and ${outputs}`);
  }
  const layers: Layer[] = [];
  const parameters = new Map<string, ForeignTensor>();
  const counts = { conv: 0, dense: 0 };
  let scale = 1;
  let hasEnded = false;
  let at = input.name ?? '';

  for (const [index, node] of nodesOf(graph, output.name ?? '').entries()) {
    const { opType = '' } = node;
    const say = (what: string) => fault(`node ${index + 1} (${opType}): ${what}`);
    const [data = '', ...rest] = node.input;
    if (data !== at) throw say('does not read what the node before it gives');
    if (hasEnded) throw say('follows the sigmoid, which is the end');
    const attributes = new Map(node.attribute.map((one) => [one.name ?? '', one]));
    const constant = (position: number): ForeignTensor => {
      const tensor = constants.get(rest[position] ?? '');
      if (!tensor) throw say(`expected a constant as its input ${position + 2}`);
      return toFloats(tensor, say);
    };
    const expectInts = (name: string, fits: (value: number) => boolean) => {
      const { ints = [], i } = attributes.get(name) ?? {};
      const values = ints.length > 0 || i === undefined ? ints : [i];
      if (!values.every((value) => fits(Number(value)))) {
        throw say(`${name} ${values.join(', ')} is not supported`);
      }
    };
    const add = (kind: 'conv' | 'dense', kernel: ForeignTensor, bias: ForeignTensor): string => {
      counts[kind] += 1;
      const own = /^(.+)\/kernel$/.exec(rest[0] ?? '')?.[1];
      const name = own ?? `${kind}${counts[kind]}`;
      parameters.set(`${name}/kernel`, kernel);
      parameters.set(`${name}/bias`, bias);
      return name;
    };
    switch (opType) {
      case 'Cast':
      case 'Identity':
      case 'Dropout':
        break;
      case 'Div':
        scale /= constant(0).values[0] ?? Number.NaN;
        if (layers.length > 0) throw say('is not in front of the first layer');
        break;
      case 'Mul':
        scale *= constant(0).values[0] ?? Number.NaN;
        if (layers.length > 0) throw say('is not in front of the first layer');
        break;
      case 'Conv': {
        const kernel = constant(0);
        const [filters = 0, , heightPx, widthPx] = kernel.shape;
        if (heightPx !== widthPx) throw say(`a kernel of ${heightPx} by ${widthPx}`);
        expectInts('strides', (value) => value === 1);
        expectInts('dilations', (value) => value === 1);
        expectInts('pads', (value) => value === 0);
        expectInts('group', (value) => value === 1);
        assertNoAutoPad(attributes.get('auto_pad'), say);
        const bias = rest[1] ? constant(1) : zeros(filters);
        const name = add('conv', kernel, bias);
        layers.push({ kind: 'conv', name, filters, kernelPx: Number(widthPx) });
        break;
      }
      case 'Gemm': {
        if (!layers.some(({ kind }) => kind === 'flatten')) throw say('follows no Flatten');
        const isTurned = Number(attributes.get('transB')?.i ?? 0) === 1;
        expectInts('transA', (value) => value === 0);
        for (const factor of ['alpha', 'beta']) {
          if ((attributes.get(factor)?.f ?? 1) !== 1) throw say(`${factor} is not 1`);
        }
        const kernel = isTurned ? transpose(constant(0), [1, 0]) : constant(0);
        const units = kernel.shape[1] ?? 0;
        const name = add('dense', kernel, rest[1] ? constant(1) : zeros(units));
        layers.push({ kind: 'dense', name, units });
        break;
      }
      case 'MaxPool': {
        const [sizePx = 0] = (attributes.get('kernel_shape')?.ints ?? []).map(Number);
        expectInts('kernel_shape', (value) => value === sizePx);
        if (!attributes.has('strides') && sizePx !== 1) throw say('expected its pool as stride');
        expectInts('strides', (value) => value === sizePx);
        expectInts('pads', (value) => value === 0);
        expectInts('dilations', (value) => value === 1);
        expectInts('ceil_mode', (value) => value === 0);
        assertNoAutoPad(attributes.get('auto_pad'), say);
        layers.push({ kind: 'maxPool', sizePx });
        break;
      }
      case 'Relu':
        layers.push({ kind: 'relu' });
        break;
      case 'Flatten':
        expectInts('axis', (value) => value === 1);
        layers.push({ kind: 'flatten' });
        break;
      case 'Sigmoid':
        hasEnded = true;
        break;
      default:
        throw say('not supported');
    }
    at = node.output[0] ?? '';
  }
  if (!hasEnded || at !== output.name) throw fault('expected a Sigmoid at the end');
  if (Math.abs(scale * 255 - 1) > 1e-6) throw fault(`pixels are scaled by ${scale}, not 1/255`);
  const network: Network = { name: graph.name || 'imported', inputShape: shapeOf(graph), layers };
  for (const { name, shape } of planNetwork(network).parameters) {
    const got = parameters.get(name)?.shape ?? [];
    if (`${got}` !== `${shape}`) throw fault(`expected ${name} as [${shape}], got [${got}]`);
  }
  return { network, parameters };
}

function decode(model: Uint8Array): GraphProto {
  try {
    const { graph } = ModelProto.decode(model);
    if (graph) return graph;
  } catch (cause) {
    throw new DomainError('unsupported', 'expected an ONNX model', { cause });
  }
  throw new DomainError('unsupported', 'expected an ONNX model, got one without a graph');
}

/** The nodes that an output needs, in their order: other outputs, as distances, are left out. */
function nodesOf({ node }: GraphProto, output: string): readonly NodeProto[] {
  const needed = new Set([output]);
  return node
    .toReversed()
    .filter((one) => {
      if (!one.output.some((name) => needed.has(name))) return false;
      for (const name of one.input) needed.add(name);
      return true;
    })
    .reverse();
}

/** The values of a float tensor, copied where they do not lie at a multiple of 4. */
function toFloats(
  { dims, dataType, rawData, floatData, externalData }: TensorProto,
  say: (what: string) => DomainError,
): ForeignTensor {
  const shape = dims.map(Number);
  if (dataType !== TensorProto_DataType.FLOAT) throw say('expected constants of float32');
  if (externalData.length > 0) throw say('its weights lie in another file');
  const values =
    rawData && rawData.length > 0
      ? new Float32Array(Uint8Array.from(rawData).buffer)
      : Float32Array.from(floatData);
  const count = shape.reduce((product, size) => product * size, 1);
  if (values.length !== count) throw say(`expected ${count} values, got ${values.length}`);
  return { shape, values };
}

/** `[C, H, W]` of the input. */
function shapeOf(graph: GraphProto): Network['inputShape'] {
  const [port] = graphInputs(graph);
  const type = port?.type?.value;
  const dims = type?.$case === 'tensorType' ? (type.value.shape?.dim ?? []) : [];
  const sizes = dims.map(({ value }) => (value?.$case === 'dimValue' ? Number(value.value) : null));
  const [, channels, heightPx, widthPx] = sizes;
  if (sizes.length === 4 && channels && heightPx && widthPx) return [channels, heightPx, widthPx];
  throw fault(
    `expected an input [N, C, H, W], got [${sizes.map((size) => size ?? '?').join(', ')}]`,
  );
}

function assertNoAutoPad(
  attribute: AttributeProto | undefined,
  say: (what: string) => DomainError,
): void {
  const pad = attribute?.s ? Buffer.from(attribute.s).toString() : 'NOTSET';
  if (pad !== 'NOTSET' && pad !== 'VALID') throw say(`auto_pad ${pad} is not supported`);
}

const zeros = (count: number): ForeignTensor => ({
  shape: [count],
  values: new Float32Array(count),
});

function fault(what: string): DomainError {
  return new DomainError('unsupported', `${what}; supported: ${supported}`);
}
