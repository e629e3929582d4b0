import { posix } from 'node:path';
import { DomainError } from '../errors.js';
import {
  type GraphProto,
  ModelProto,
  type TensorProto,
  TensorProto_DataLocation,
} from '../gen/onnx/onnx.js';

/** A message of Protocol Buffers ends there, and with it a model in one piece. */
const mostBytes = 2 ** 31 - 1;

/** Whether a graph has weights in another file. */
export function hasExternalData(graph: GraphProto): boolean {
  return tensorsOf(graph).some(isExternal);
}

/**
 * The same model with the weights in it that lie in other files, as exporters write them for
 * large models: `model.onnx.data` beside `model.onnx`. A model without such stays as it is.
 * `readFile` gets a path relative to the model, which never leads above it.
 *
 * Throws `model_failed` for a place that is none or does not lie in its file, for a model that
 * is too large in one piece, and what `readFile` throws.
 */
export async function inlineExternalData(
  model: Uint8Array,
  readFile: (path: string) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const proto = decoded(model);
  const tensors = proto?.graph ? tensorsOf(proto.graph).filter(isExternal) : [];
  if (!proto || tensors.length === 0) return model;
  const files = new Map<string, Uint8Array>();
  let bytes = model.byteLength;
  for (const tensor of tensors) {
    const { path, offset, length } = placeOf(tensor);
    const file = files.get(path) ?? (await readFile(path));
    files.set(path, file);
    const end = length === null ? file.byteLength : offset + length;
    if (!(offset >= 0 && end >= offset && end <= file.byteLength)) {
      const wanted = `expected bytes ${offset} to ${end} of ${path} for ${tensor.name}`;
      throw new DomainError('model_failed', `${wanted}, got a file of ${file.byteLength}`);
    }
    bytes += end - offset;
    if (bytes > mostBytes) {
      throw new DomainError('model_failed', 'expected a model below 2 GiB with its weights');
    }
    tensor.rawData = file.subarray(offset, end);
    tensor.externalData = [];
    tensor.dataLocation = TensorProto_DataLocation.DEFAULT;
  }
  return ModelProto.encode(proto).finish();
}

/** null for what is no model: whoever loads it says so. */
function decoded(model: Uint8Array): ModelProto | null {
  try {
    return ModelProto.decode(model);
  } catch {
    return null;
  }
}

const isExternal = ({ dataLocation }: TensorProto): boolean =>
  dataLocation === TensorProto_DataLocation.EXTERNAL;

/** Every tensor of a graph, of its nodes and of the bodies of If, Loop and Scan. */
function tensorsOf({ initializer, node }: GraphProto): readonly TensorProto[] {
  const inNodes = node.flatMap(({ attribute }) =>
    attribute.flatMap(({ t, tensors, g, graphs }) => [
      ...(t ? [t] : []),
      ...tensors,
      ...[...(g ? [g] : []), ...graphs].flatMap(tensorsOf),
    ]),
  );
  return [...initializer, ...inNodes];
}

/** See `ExternalData` in onnx/onnx, docs/ExternalData.md. */
function placeOf({ name, externalData }: TensorProto) {
  const entry = (key: string) => externalData.find((each) => each.key === key)?.value;
  const path = posix.normalize(entry('location') ?? '');
  if (path === '.' || posix.isAbsolute(path) || path.split(/[/\\]/).includes('..')) {
    throw new DomainError('model_failed', `expected ${name} in a file beside the model`);
  }
  const length = entry('length');
  return {
    path,
    offset: Number(entry('offset') ?? 0),
    length: length === undefined ? null : Number(length),
  };
}
