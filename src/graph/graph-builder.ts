import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProto as AttributeProtoMessage,
  ModelProto,
  NodeProto,
  type TensorProto,
  ValueInfoProto,
} from '../gen/onnx/onnx.js';
import {
  type ConstantTensor,
  dataTypeOf,
  type StoredPlace,
  toStoredTensorProto,
  toTensorProto,
} from './tensor-proto.js';
import type { ElementType, Shape, Value } from './value.js';

/** An attribute of a node: a whole number, whole numbers, a text, or a float marked as such. */
export type NodeAttribute = number | readonly number[] | string | { readonly float: number };

/** What a node gives: type and shape of each of its outputs. */
export type OutputSpec = readonly [type: ElementType, shape: Shape];

/** Name, type and shape of an input or output of a finished graph. */
export type GraphPort = Value;

/**
 * Writes one ONNX graph.
 *
 * Behaviour: nodes are kept in the order of the calls, which must be the order of
 * their needs. Equal constants are written once. Names are made from the operator
 * and a counter, so that the same calls give the same bytes.
 */
export interface GraphBuilder {
  input(name: string, type: ElementType, shape: Shape): Value;
  /** Makes `value` an output of the graph under that name. */
  output(name: string, value: Value): void;
  /** A named initializer, as weights are. */
  initializer(name: string, tensor: ConstantTensor): Value;
  /** A named float32 initializer whose bytes lie in another file. */
  storedInitializer(name: string, shape: readonly number[], place: StoredPlace): Value;
  /** Small whole numbers as int64: shapes, axes, starts and ends. */
  integers(...values: number[]): Value;
  /** One float32 scalar. */
  scalar(value: number): Value;
  /** A few float32 numbers. */
  floats(...values: number[]): Value;
  /** One float64 scalar. */
  preciseScalar(value: number): Value;
  /** A node of one output. */
  node(
    type: string,
    inputs: readonly Value[],
    output: OutputSpec,
    attributes?: Readonly<Record<string, NodeAttribute>>,
  ): Value;
  /** A node of several outputs. */
  nodes(
    type: string,
    inputs: readonly Value[],
    outputs: readonly OutputSpec[],
    attributes?: Readonly<Record<string, NodeAttribute>>,
  ): readonly Value[];
  /** The sum of values of one type and shape; one is its own. */
  sum(values: readonly Value[]): Value;
  readonly inputs: readonly GraphPort[];
  readonly outputs: readonly GraphPort[];
  /** The finished ModelProto, encoded. */
  toModel(): Uint8Array;
}

/** ONNX 1.14's operator set: the oldest that has everything used here, for the widest support. */
const operatorSetVersion = 19;
/** The file format of that release. */
const irVersion = 9;

export interface GraphBuilderOptions {
  /** Whether the device that runs it has Sum, or wants one Add after the other. @default true */
  readonly hasSum?: boolean;
}

/** Starts an empty graph. */
export function createGraphBuilder(
  name: string,
  { hasSum = true }: GraphBuilderOptions = {},
): GraphBuilder {
  const nodeProtos: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const constants = new Map<string, Value>();
  const counters = new Map<string, number>();
  const inputs: GraphPort[] = [];
  const outputs: GraphPort[] = [];
  /** What nodes give, and which of that leaves the graph under which name. */
  const made = new Set<string>();
  const finalNames = new Map<string, string>();

  const nextName = (type: string): string => {
    const count = (counters.get(type) ?? 0) + 1;
    counters.set(type, count);
    return `${type}_${count}`;
  };

  const constant = (key: string, tensor: ConstantTensor): Value => {
    const known = constants.get(key);
    if (known) return known;
    const value = builder.initializer(nextName('constant'), tensor);
    constants.set(key, value);
    return value;
  };

  const builder: GraphBuilder = {
    inputs,
    outputs,
    input(inputName, type, shape) {
      const value = { name: inputName, type, shape };
      inputs.push(value);
      return value;
    },
    output(outputName, value) {
      const isMade = made.has(value.name) && !finalNames.has(value.name);
      const source = isMade ? value : builder.node('Identity', [value], [value.type, value.shape]);
      finalNames.set(source.name, outputName);
      outputs.push({ ...value, name: outputName });
    },
    initializer(initializerName, tensor) {
      initializers.push(toTensorProto(initializerName, tensor));
      return { name: initializerName, type: tensor.type, shape: tensor.shape };
    },
    storedInitializer(initializerName, shape, place) {
      initializers.push(toStoredTensorProto(initializerName, shape, place));
      return { name: initializerName, type: 'float32', shape };
    },
    integers: (...values) =>
      constant(`int64:${values}`, {
        type: 'int64',
        shape: [values.length],
        values: BigInt64Array.from(values, BigInt),
      }),
    scalar: (value) =>
      constant(`float32:${value}`, {
        type: 'float32',
        shape: [],
        values: Float32Array.of(value),
      }),
    floats: (...values) =>
      constant(`float32[]:${values}`, {
        type: 'float32',
        shape: [values.length],
        values: Float32Array.from(values),
      }),
    preciseScalar: (value) =>
      constant(`float64:${value}`, {
        type: 'float64',
        shape: [],
        values: Float64Array.of(value),
      }),
    sum(values) {
      const [first, ...others] = values;
      if (first === undefined) throw new Error('bug: expected values to add, got none');
      if (others.length === 0) return first;
      const { type, shape } = first;
      if (hasSum) return builder.node('Sum', values, [type, shape]);
      return others.reduce((sum, value) => builder.node('Add', [sum, value], [type, shape]), first);
    },
    node(type, nodeInputs, output, attributes) {
      return builder.nodes(type, nodeInputs, [output], attributes)[0]!;
    },
    nodes(type, nodeInputs, specs, attributes = {}) {
      const nodeName = nextName(type);
      const values = specs.map(([elementType, shape], index) => ({
        name: specs.length === 1 ? nodeName : `${nodeName}:${index}`,
        type: elementType,
        shape,
      }));
      for (const value of values) made.add(value.name);
      nodeProtos.push(
        NodeProto.fromPartial({
          opType: type,
          name: nodeName,
          input: nodeInputs.map((value) => value.name),
          output: values.map((value) => value.name),
          attribute: Object.entries(attributes).map(toAttributeProto),
        }),
      );
      return values;
    },
    toModel() {
      const used = new Set([...nodeProtos.flatMap(({ input }) => input), ...finalNames.keys()]);
      const model = ModelProto.fromPartial({
        irVersion,
        opsetImport: [{ domain: '', version: operatorSetVersion }],
        producerName: 'cytostream',
      });
      model.graph = {
        name,
        node: nodeProtos.map((node) => ({
          ...node,
          input: node.input.map((input) => finalNames.get(input) ?? input),
          output: withoutUnused(node.output, used).map(
            (output) => finalNames.get(output) ?? output,
          ),
        })),
        initializer: initializers,
        input: inputs.map(toValueInfo),
        output: outputs.map(toValueInfo),
        sparseInitializer: [],
        valueInfo: [],
        quantizationAnnotation: [],
        metadataProps: [],
      };
      return ModelProto.encode(model).finish();
    },
  };
  return builder;
}

function toAttributeProto([name, value]: [string, NodeAttribute]): AttributeProto {
  if (typeof value === 'number') {
    const type = AttributeProto_AttributeType.INT;
    return AttributeProtoMessage.fromPartial({ name, type, i: value });
  }
  if (typeof value === 'string') {
    const type = AttributeProto_AttributeType.STRING;
    return AttributeProtoMessage.fromPartial({ name, type, s: new TextEncoder().encode(value) });
  }
  if ('float' in value) {
    const type = AttributeProto_AttributeType.FLOAT;
    return AttributeProtoMessage.fromPartial({ name, type, f: value.float });
  }
  const type = AttributeProto_AttributeType.INTS;
  return AttributeProtoMessage.fromPartial({ name, type, ints: [...value] });
}

function toValueInfo({ name, type, shape }: Value): ValueInfoProto {
  return ValueInfoProto.fromPartial({
    name,
    type: {
      value: {
        $case: 'tensorType',
        value: {
          elemType: dataTypeOf(type),
          shape: {
            dim: shape.map((size) => ({
              value:
                size === 'N'
                  ? { $case: 'dimParam', value: 'N' }
                  : { $case: 'dimValue', value: size },
            })),
          },
        },
      },
    },
  });
}

/**
 * A node's outputs up to the last that is used: the runtime has no fast pooling for a node
 * that gives its indices too, whether or not anyone takes them.
 */
function withoutUnused(outputs: readonly string[], used: ReadonlySet<string>): readonly string[] {
  const last = outputs.findLastIndex((output) => used.has(output));
  return outputs.slice(0, Math.max(1, last + 1));
}
