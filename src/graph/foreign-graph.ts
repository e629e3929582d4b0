import { DomainError } from '../errors.js';
import {
  type GraphProto,
  ModelProto,
  TensorProto_DataType,
  type ValueInfoProto,
} from '../gen/onnx/onnx.js';
import { graphInputs } from './graph-inputs.js';

/** An input or output of a graph made elsewhere. */
export interface ForeignPort {
  readonly name: string;
  /** As ONNX names it, in small letters: "uint8", "float" (of 32 bits), "float16". */
  readonly type: string;
  /** Of each axis; null: free. */
  readonly sizes: readonly (number | null)[];
}

/** An ONNX graph made elsewhere, and what it says of its input and its output. */
export interface ForeignGraph {
  readonly proto: ModelProto;
  readonly graph: GraphProto;
  /** The version of its operators. */
  readonly operators: number;
  readonly input: ForeignPort;
  readonly output: ForeignPort;
}

/** Input and output as a file says them; null: free there. */
export interface DescribedGraph {
  readonly channelCount: number | null;
  readonly heightPx: number | null;
  readonly widthPx: number | null;
  readonly labelCount: number | null;
}

/**
 * Reads a graph of one input `[N, C, H, W]` and one output `[N, labels]`; an output `distance`
 * beside it, as models made here have, is passed over.
 *
 * Throws `model_failed` for any other.
 */
export function readForeignGraph(model: Uint8Array): ForeignGraph {
  const proto = decode(model);
  const { graph } = proto;
  if (!graph) throw failed('expected an ONNX model, got one without a graph');
  const isOnnx = ({ domain = '' }) => domain === '' || domain === 'ai.onnx';
  const operators = Number(proto.opsetImport.find(isOnnx)?.version ?? 0);
  const inputs = graphInputs(graph);
  const outputs =
    graph.output.length > 1 ? graph.output.filter(({ name }) => name !== 'distance') : graph.output;
  return {
    ...{ proto, graph, operators },
    input: theOne('input', '[N, C, H, W]', inputs, 4),
    output: theOne('output', '[N, labels]', outputs, 2),
  };
}

/** What the file says of channels, size and labels. Throws as `readForeignGraph`. */
export function describeForeignGraph(model: Uint8Array): DescribedGraph {
  const { input, output } = readForeignGraph(model);
  const [, channelCount = null, heightPx = null, widthPx = null] = input.sizes;
  return { channelCount, heightPx, widthPx, labelCount: output.sizes[1] ?? null };
}

function decode(model: Uint8Array): ModelProto {
  try {
    return ModelProto.decode(model);
  } catch (cause) {
    throw failed('expected an ONNX model, got something else', { cause });
  }
}

function theOne(
  what: string,
  expected: string,
  ports: readonly ValueInfoProto[],
  rank: number,
): ForeignPort {
  const [first] = ports;
  if (!first || ports.length > 1) {
    const names = ports.map(({ name }) => name).join(', ') || 'none';
    throw failed(`expected one ${what} of ${expected}, got ${ports.length}: ${names}`);
  }
  const { name = '' } = first;
  const type = first.type?.value;
  if (type?.$case !== 'tensorType') throw failed(`expected ${what} "${name}" to be a tensor`);
  const dims = type.value.shape?.dim;
  const sizes = dims?.map(({ value }) =>
    value?.$case === 'dimValue' && Number(value.value) > 0 ? Number(value.value) : null,
  );
  if (sizes !== undefined && sizes.length !== rank) {
    const got = `[${sizes.map((size) => size ?? '?').join(', ')}]`;
    throw failed(`expected ${what} "${name}" to be ${expected}, got ${got}`);
  }
  const typeName = TensorProto_DataType[type.value.elemType ?? 0] ?? 'of an unknown type';
  return { name, type: typeName.toLowerCase(), sizes: sizes ?? Array(rank).fill(null) };
}

function failed(message: string, options?: { readonly cause: unknown }): DomainError {
  return new DomainError('model_failed', message, options);
}
