import { DomainError } from '../errors.js';
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  ModelProto,
  NodeProto,
  TensorProto_DataType,
  ValueInfoProto,
} from '../gen/onnx/onnx.js';
import type { GraphPort } from './graph-builder.js';
import { dataTypeOf } from './tensor-proto.js';
import type { TrainingStep } from './training-step.js';
import type { Shape } from './value.js';

/**
 * A training step that is done several times in one run of the graph, so that weights and
 * slots cross to the device and back once for all of them.
 */
export interface RepeatedStep {
  readonly model: Uint8Array;
  /** The most steps of a run. */
  readonly stepsPerCall: number;
}

/** Marks what belongs to one step, within. */
const each = 'each/';

/**
 * Wraps a step into a Loop that carries its state from each to the next.
 *
 * Inputs are those of the step, with a first axis of `count` on all that is another for
 * each step (`pixels`, `targets`, `frameWeights`, `learningRate`, masks); `step` is the
 * number of the first; `steps` int64 scalar says how many are done, 1 to `count`, and what lies
 * behind them is not read. Outputs are those of the step: `loss` `[steps]`, `probabilities`
 * `[steps, N, L]`, and `next/<name>` after the last.
 *
 * A Loop, and not the step written so many times: the graph stays as large as one step, in
 * time to open as in memory, and an epoch's last steps run in it too.
 *
 * Throws `option_invalid` for a count that is not a whole number above zero.
 */
export function repeatStep(step: TrainingStep, count: number): RepeatedStep {
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new DomainError('option_invalid', `expected steps a call of at least 1, got ${count}`);
  }
  const model = ModelProto.decode(step.model);
  const { graph } = model;
  if (!graph) throw new Error('bug: a training step without a graph');
  const state = new Set(step.stateNames);
  const kept = new Set(step.parameterNames.filter((name) => !state.has(name)));
  const portOf = new Map([...step.inputs, ...step.outputs].map((port) => [port.name, port]));
  const port = (name: string): GraphPort => portOf.get(name)!;
  const stacked = step.inputs.filter(
    ({ name }) => !state.has(name) && !kept.has(name) && name !== 'step',
  );
  // Of the graph's own values, what also has a name outside is called otherwise within.
  const outside = new Set([...step.inputs, ...step.outputs].map(({ name }) => name));
  const within = (name: string): string =>
    outside.has(name) && !kept.has(name) ? `${each}${name}` : name;

  const results = step.outputs.map(({ name }) => name);
  const carried = step.stateNames.map((name) => `next/${name}`);
  const told = results.filter((name) => !carried.includes(name));
  const body = {
    ...graph,
    name: `${graph.name}/each`,
    node: [
      node('Identity', [`${each}go`], [`${each}goOn`]),
      node('Add', ['step', `${each}index`], [`${each}step`]),
      ...stacked.map(({ name }) => node('Gather', [name, `${each}index`], [`${each}${name}`])),
      ...graph.node.map((one) => ({
        ...one,
        input: one.input.map(within),
        output: one.output.map(within),
      })),
    ],
    input: [
      info(`${each}index`, TensorProto_DataType.INT64, []),
      info(`${each}go`, TensorProto_DataType.BOOL, []),
      ...step.stateNames.map((name) => portInfo(port(name), `${each}${name}`)),
    ],
    output: [
      info(`${each}goOn`, TensorProto_DataType.BOOL, []),
      ...[...carried, ...told].map((name) => portInfo(port(name), `${each}${name}`)),
    ],
  };
  const loop = NodeProto.fromPartial({
    opType: 'Loop',
    name: 'steps',
    input: ['steps', '', ...step.stateNames],
    output: [...carried, ...told],
    attribute: [{ name: 'body', type: AttributeProto_AttributeType.GRAPH, g: body }],
  });
  model.graph = {
    ...graph,
    node: [loop],
    initializer: [],
    input: [
      info('steps', TensorProto_DataType.INT64, []),
      ...step.inputs.map((one) =>
        stacked.includes(one) ? portInfo(one, one.name, count) : portInfo(one),
      ),
    ],
    output: [
      ...carried.map((name) => portInfo(port(name))),
      ...told.map((name) => portInfo(port(name), name, 'steps')),
    ],
  };
  return { model: ModelProto.encode(model).finish(), stepsPerCall: count };
}

function node(opType: string, input: string[], output: string[]): NodeProto {
  const attribute: AttributeProto[] = [];
  return NodeProto.fromPartial({ opType, name: output[0] ?? '', input, output, attribute });
}

/** A port of the step under another name, with a first axis where there are many. */
function portInfo(
  { name, type, shape }: GraphPort,
  as = name,
  first?: number | string,
): ValueInfoProto {
  return info(as, dataTypeOf(type), first === undefined ? shape : [first, ...shape]);
}

function info(
  name: string,
  elemType: TensorProto_DataType,
  shape: Shape | readonly (number | string)[],
): ValueInfoProto {
  const dim = shape.map((size) => ({
    value:
      typeof size === 'number'
        ? ({ $case: 'dimValue', value: size } as const)
        : ({ $case: 'dimParam', value: size } as const),
  }));
  const value = { $case: 'tensorType', value: { elemType, shape: { dim } } } as const;
  return ValueInfoProto.fromPartial({ name, type: { value } });
}
