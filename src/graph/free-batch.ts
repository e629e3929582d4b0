import {
  type GraphProto,
  type NodeProto,
  TensorProto,
  TensorProto_DataType,
  ValueInfoProto,
} from '../gen/onnx/onnx.js';
import { freePrefix } from './put-in-front.js';

/** What gives sizes, not the frames themselves. */
const givesSizes = new Set(['Shape', 'Size']);

/**
 * A graph whose batch was fixed at export, with a free one. Its input and output say N, and a
 * Reshape of frames to a constant shape that begins with the fixed size takes the size that
 * comes (0 in ONNX). Other places that fix a batch are not known here: whoever serves the
 * graph compares a batch with its frames alone first.
 */
export function freeBatch(
  graph: GraphProto,
  { input, output, batch }: { readonly input: string; readonly output: string; batch: number },
): GraphProto {
  const prefix = freePrefix(graph, 'free/');
  const shapes = constantShapes(graph);
  const ofFrames = new Set([input]);
  const added: TensorProto[] = [];

  const node = graph.node.map((each): NodeProto => {
    const [first = '', shapeName = ''] = each.input;
    if (!each.input.some((name) => ofFrames.has(name)) || givesSizes.has(each.opType ?? '')) {
      return each;
    }
    for (const name of each.output) ofFrames.add(name);
    const shape = shapes.get(shapeName);
    if (each.opType !== 'Reshape' || !ofFrames.has(first) || shape?.[0] !== batch) return each;
    const name = `${prefix}shape_${added.length + 1}`;
    const int64Data = [0, ...shape.slice(1)];
    const { INT64: dataType } = TensorProto_DataType;
    added.push(TensorProto.fromPartial({ name, dataType, dims: [shape.length], int64Data }));
    const attribute = each.attribute.filter((one) => one.name !== 'allowzero');
    return { ...each, input: [first, name], attribute };
  });
  return {
    ...graph,
    node,
    initializer: [...graph.initializer, ...added],
    input: graph.input.map((port) => (port.name === input ? withFreeBatch(port) : port)),
    output: graph.output.map((port) => (port.name === output ? withFreeBatch(port) : port)),
    // They are hints, and say the fixed size.
    valueInfo: [],
  };
}

/** A port whose first axis is N. */
function withFreeBatch(port: ValueInfoProto): ValueInfoProto {
  const copy = ValueInfoProto.fromPartial(port);
  const type = copy.type?.value;
  const first = type?.$case === 'tensorType' ? type.value.shape?.dim[0] : undefined;
  if (first) first.value = { $case: 'dimParam', value: 'N' };
  return copy;
}

/** The constants of whole numbers by their name. */
function constantShapes({ initializer, node }: GraphProto): ReadonlyMap<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  const keep = (name: string, tensor: TensorProto | undefined) => {
    if (tensor?.dataType === TensorProto_DataType.INT64) shapes.set(name, wholes(tensor));
  };
  for (const tensor of initializer) keep(tensor.name ?? '', tensor);
  for (const { opType, attribute, output } of node) {
    if (opType !== 'Constant') continue;
    keep(output[0] ?? '', attribute.find(({ name }) => name === 'value')?.t);
    const ints = attribute.find(({ name }) => name === 'value_ints')?.ints;
    if (ints) shapes.set(output[0] ?? '', ints.map(Number));
  }
  return shapes;
}

function wholes({ rawData, int64Data }: TensorProto): readonly number[] {
  if (!rawData || rawData.length === 0) return int64Data.map(Number);
  return Array.from(new BigInt64Array(Uint8Array.from(rawData).buffer), Number);
}
