import { DomainError } from '../errors.js';
import {
  AttributeProto,
  AttributeProto_AttributeType,
  type GraphProto,
  ModelProto,
  NodeProto,
  TensorProto_DataType,
  ValueInfoProto,
} from '../gen/onnx/onnx.js';
import { hasExternalData } from './external-data.js';
import { type ForeignGraph, type ForeignPort, readForeignGraph } from './foreign-graph.js';
import { freeBatch } from './free-batch.js';
import { givesLogits, lastOperator } from './last-operator.js';
import { type PixelScaling, putScalingInFront, scalingFaults } from './pixel-scaling.js';
import { freePrefix } from './put-in-front.js';

export interface ServedFormOptions extends PixelScaling {
  /** `[C, H, W]` of the frames that it will be served with. */
  readonly inputShape: readonly [number, number, number];
  readonly labelCount: number;
  /** Whether the output is logits, behind which a sigmoid is put. @default false */
  readonly logits?: boolean;
}

/** A graph that can be served, and what was done for it. */
export interface ServedForm {
  readonly model: Uint8Array;
  /** The batch that the file fixes; null: it was free. */
  readonly fixedBatch: number | null;
}

/** Before that, operators broadcast by attributes, and the runtime has none of them. */
const leastOperators = 7;

/**
 * An ONNX graph made elsewhere as it can be served: uint8 `[N, C, H, W]` in, float32
 * `[N, labels]` out, any N.
 *
 *  1. A batch that is fixed becomes free.
 *  2. An input of float32 or float16 gets the scaling of its pixels put in front of it; one of
 *     uint8 is taken to scale by itself.
 *  3. An output of float16 becomes float32, and logits get their sigmoid.
 *
 * A graph that needs none of that stays as it is, byte for byte. Throws `model_failed` for a
 * graph that is another or that ends in logits of which nothing is said, `option_invalid` for
 * a scaling or logits that it cannot have.
 */
export function toServedForm(model: Uint8Array, options: ServedFormOptions): ServedForm {
  const foreign = readForeignGraph(model);
  const { input, output, proto, operators } = foreign;
  assertFits(foreign, options);
  const fixedBatch = input.sizes[0] ?? output.sizes[0] ?? null;
  const isFed = input.type === 'uint8';
  const isGiven = output.type === 'float' && !options.logits;
  if (isFed && isGiven && fixedBatch === null) return { model, fixedBatch };
  if (operators < leastOperators) {
    const expected = `expected ONNX operators ${leastOperators} or newer`;
    throw new DomainError('model_failed', `${expected}, got ${operators}`);
  }
  let { graph } = foreign;
  if (fixedBatch !== null) {
    graph = freeBatch(graph, { input: input.name, output: output.name, batch: fixedBatch });
  }
  if (!isFed) graph = putScalingInFront(graph, input, options);
  if (!isGiven) graph = givingProbabilities(graph, output, options);
  return { model: ModelProto.encode({ ...proto, graph }).finish(), fixedBatch };
}

/** Throws what is wrong with a graph, or with what is said of it. */
function assertFits(foreign: ForeignGraph, options: ServedFormOptions): void {
  const { graph, input, output } = foreign;
  const { inputShape, labelCount, logits = false } = options;
  if (hasExternalData(graph)) {
    const expected =
      'expected a model with its weights in it, got one whose weights lie in another';
    throw new DomainError(
      'model_failed',
      `${expected} file: models import --onnx reads them beside it`,
    );
  }
  const faults = [
    ...portFaults('input', input, ['uint8', 'float', 'float16'], inputShape),
    ...portFaults('output', output, ['float', 'float16'], [labelCount]),
  ];
  const end = lastOperator(graph, output.name);
  if (!logits && givesLogits(graph, end)) {
    const wanted = 'expected probabilities, got a graph that ends in';
    faults.push(`${wanted} ${end}, as logits do: ${sayLogits}`);
  }
  if (faults.length > 0) throw new DomainError('model_failed', faults.join('; '));
  const mistakes = [...scalingFaults(options, input.type, inputShape[0])];
  if (logits && (end === 'Sigmoid' || end === 'Softmax')) {
    mistakes.push(`logits: expected a graph without a sigmoid at its end, got one with ${end}`);
  }
  if (mistakes.length > 0) throw new DomainError('option_invalid', mistakes.join('; '));
}

/** What to do about logits, at the end of a message. */
export const sayLogits =
  'with --logits, or logits of ImportModelRequest, a sigmoid is put behind them';

function portFaults(
  what: string,
  port: ForeignPort,
  types: readonly string[],
  row: readonly number[],
): readonly string[] {
  const [, ...sizes] = port.sizes;
  const fits = sizes.every((size, axis) => size === null || size === row[axis]);
  if (fits && types.includes(port.type)) return [];
  const spoken = (type: string) => (type === 'float' ? 'float32' : type);
  const expected = `${types.map(spoken).join(' or ')} [N, ${row.join(', ')}]`;
  const got = `${spoken(port.type)} [${port.sizes.map((size) => size ?? '?').join(', ')}]`;
  return [`expected ${what} "${port.name}" to be ${expected}, got ${got}`];
}

/** Puts behind an output what makes float32 of float16, and probabilities of logits. */
function givingProbabilities(
  graph: GraphProto,
  { name, type, sizes }: ForeignPort,
  { logits = false, labelCount }: ServedFormOptions,
): GraphProto {
  const prefix = freePrefix(graph, 'given/');
  const nodes: NodeProto[] = [];
  let last = name;
  const add = (opType: string, attribute: AttributeProto[] = []) => {
    const given = `${prefix}${opType}`;
    nodes.push(
      NodeProto.fromPartial({ opType, name: given, input: [last], output: [given], attribute }),
    );
    last = given;
  };
  const { FLOAT } = TensorProto_DataType;
  if (type === 'float16') {
    const { INT } = AttributeProto_AttributeType;
    add('Cast', [AttributeProto.fromPartial({ name: 'to', type: INT, i: FLOAT })]);
  }
  if (logits) add('Sigmoid');
  const dim = ['N', sizes[1] ?? labelCount].map((size) => ({
    value:
      typeof size === 'string'
        ? ({ $case: 'dimParam', value: size } as const)
        : ({ $case: 'dimValue', value: size } as const),
  }));
  const port = ValueInfoProto.fromPartial({
    name: last,
    type: { value: { $case: 'tensorType', value: { elemType: FLOAT, shape: { dim } } } },
  });
  return {
    ...graph,
    node: [...graph.node, ...nodes],
    output: graph.output.map((each) => (each.name === name ? port : each)),
  };
}
