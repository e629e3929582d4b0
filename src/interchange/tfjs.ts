import { z } from 'zod';
import { DomainError } from '../errors.js';
import { assemble } from './assemble.js';
import { readTopology } from './read-topology.js';
import { type ForeignTensor, type TrainedNetwork, toTensorFlow } from './weights.js';
import { writeTopology } from './write-topology.js';

/** One tensor of a manifest: float32, little-endian, one behind the other. */
export interface TfjsWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: 'float32';
}

/** A network in TensorFlow.js' layers format, in memory. */
export interface LayersModel {
  readonly modelTopology: object;
  readonly weightSpecs: readonly TfjsWeight[];
  /** The values of all weights in that order. */
  readonly weightData: Uint8Array<ArrayBuffer>;
}

/** Longest weight file, as TensorFlow.js' own converter cuts them. */
const shardBytes = 4 * 1024 * 1024;

/** A network as TensorFlow.js loads it. Throws `unsupported` for a layer without such a form. */
export function toLayersModel({ network, parameters }: TrainedNetwork): LayersModel {
  const modelTopology = {
    keras_version: 'tfjs-layers 4.22.0',
    backend: 'tensor_flow.js',
    model_config: writeTopology(network),
  };
  const tensors = [...toTensorFlow({ network, parameters })];
  const weightSpecs = tensors.map(
    ([name, { shape }]) => ({ name, shape, dtype: 'float32' }) as const,
  );
  const length = tensors.reduce((sum, [, { values }]) => sum + values.byteLength, 0);
  const weightData = new Uint8Array(length);
  let at = 0;
  for (const [, { values }] of tensors) {
    weightData.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return { modelTopology, weightSpecs, weightData };
}

/**
 * The files of the layers format: `model.json` and `group1-shard1of5.bin` and so on.
 * Throws `unsupported`.
 */
export function writeTfjs(trained: TrainedNetwork): Readonly<Record<string, Uint8Array | string>> {
  const { modelTopology, weightSpecs, weightData } = toLayersModel(trained);
  const count = Math.max(1, Math.ceil(weightData.byteLength / shardBytes));
  const shards = Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `group1-shard${index + 1}of${count}.bin`,
      weightData.subarray(index * shardBytes, (index + 1) * shardBytes),
    ]),
  );
  const model = {
    format: 'layers-model',
    generatedBy: 'cytostream',
    convertedBy: null,
    modelTopology,
    weightsManifest: [{ paths: Object.keys(shards), weights: weightSpecs }],
  };
  return { ...shards, 'model.json': `${JSON.stringify(model)}\n` };
}

/**
 * Reads a network and its weights from a `model.json` of the layers format. `readShard`
 * reads a file beside it by its name.
 *
 * Throws `option_invalid` for another format, quantised weights, a layer that is not
 * supported, or weights that are missing; and what `readShard` throws.
 */
export async function readTfjs(
  text: string,
  readShard: (name: string) => Promise<Uint8Array>,
): Promise<TrainedNetwork> {
  const { modelTopology, weightsManifest } = parse(text);
  const network = readTopology(modelTopology['model_config'] ?? modelTopology);
  const tensors = new Map<string, ForeignTensor>();
  for (const { paths, weights } of weightsManifest) {
    const shards = await Promise.all(paths.map((path) => readShard(assertBeside(path))));
    const bytes = new Uint8Array(Buffer.concat(shards)); // of its own, so that floats are aligned
    let at = 0;
    for (const { name, shape, dtype, quantization } of weights) {
      if (dtype !== 'float32' || quantization !== undefined) {
        throw new DomainError(
          'option_invalid',
          `expected weights of float32, got ${name} as ${quantization === undefined ? dtype : 'quantised'}`,
        );
      }
      const count = shape.reduce((product, size) => product * size, 1);
      if (at + count * 4 > bytes.byteLength) {
        throw new DomainError('option_invalid', `the weight files end within ${name}`);
      }
      tensors.set(name, { shape, values: new Float32Array(bytes.buffer, at, count) });
      at += count * 4;
    }
  }
  // "conv2d/kernel", or "sequential/conv2d/kernel" from a converter.
  const byEnd = new Map([...tensors].map(([name, tensor]) => [lastTwo(name), tensor]));
  return assemble(network, ({ name }, part) => byEnd.get(lastTwo(`${name}/${part}`)));
}

/** As much of a `model.json` as is read. */
const modelJson = z.object({
  modelTopology: z.record(z.string(), z.unknown()),
  weightsManifest: z.array(
    z.object({
      paths: z.array(z.string()),
      weights: z.array(
        z.object({
          name: z.string(),
          shape: z.array(z.int().min(0)),
          dtype: z.string(),
          quantization: z.unknown().optional(),
        }),
      ),
    }),
  ),
});

function parse(text: string): z.output<typeof modelJson> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DomainError('option_invalid', 'expected model.json to be JSON', { cause });
  }
  const parsed = modelJson.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new DomainError(
    'option_invalid',
    `expected a model.json of TensorFlow.js' layers format: ${faults.slice(0, 5).join('; ')}`,
  );
}

/** A manifest names files beside it; nothing else is read. */
function assertBeside(path: string): string {
  if (/^[^/\\]+$/.test(path) && path !== '..') return path;
  throw new DomainError('option_invalid', `expected weight files beside model.json, got ${path}`);
}

const lastTwo = (name: string): string => name.replace(/:0$/, '').split('/').slice(-2).join('/');
