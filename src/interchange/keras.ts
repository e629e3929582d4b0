import { strFromU8, unzipSync } from 'fflate';
import type { Dataset, Entity, Group, File as Hdf5File } from 'h5wasm';
import { DomainError } from '../errors.js';
import { assemble } from './assemble.js';
import { readTopology } from './read-topology.js';
import type { ForeignTensor, TrainedNetwork } from './weights.js';

/** Largest part of a `.keras` file that is unpacked, so that a small file cannot fill the memory. */
const mostBytes = 2 ** 30;

/** What a ZIP and an HDF5 file begin with. */
const signatures = { zip: [0x50, 0x4b, 0x03, 0x04], hdf5: [0x89, 0x48, 0x44, 0x46] } as const;

/** Whether the bytes look like a Keras file of either kind. */
export function isKerasFile(bytes: Uint8Array): boolean {
  return begins(bytes, signatures.zip) || begins(bytes, signatures.hdf5);
}

/**
 * Reads a network and its weights from a Keras file: `.keras` (a ZIP of `config.json` and
 * `model.weights.h5`) or whole-model `.h5`, of Keras 2 or 3. Blocks while it reads.
 *
 * Throws `option_invalid` for a file that is something else or cut, a layer that is not
 * supported, or weights that are missing.
 */
export async function readKeras(bytes: Uint8Array): Promise<TrainedNetwork> {
  if (begins(bytes, signatures.zip)) return readArchive(bytes);
  if (begins(bytes, signatures.hdf5)) return withHdf5(bytes, readWholeModel);
  throw new DomainError('option_invalid', 'expected a Keras file, .keras or .h5');
}

async function readArchive(bytes: Uint8Array): Promise<TrainedNetwork> {
  const wanted = ['config.json', 'model.weights.h5'];
  let parts: Readonly<Record<string, Uint8Array>>;
  try {
    parts = unzipSync(bytes, {
      filter: ({ name, originalSize }) => wanted.includes(name) && originalSize <= mostBytes,
    });
  } catch (cause) {
    throw new DomainError('option_invalid', 'the .keras file is no sound ZIP', { cause });
  }
  const [config, weights] = wanted.map((name) => {
    const part = parts[name];
    if (part) return part;
    throw new DomainError('option_invalid', `expected ${name} in the .keras file, got none`);
  }) as [Uint8Array, Uint8Array]; // as many as are wanted
  const model = readTopology(parseJson(strFromU8(config), 'config.json'));
  return withHdf5(weights, (file) => {
    // Keras 2.12 to 2.15 called the folder otherwise.
    const folder = ['layers', '_layer_checkpoint_dependencies'].find((name) => file.get(name));
    return assemble(model, ({ key }, part) =>
      tensorOf(file.get(`${folder}/${key}/vars/${part === 'kernel' ? 0 : 1}`)),
    );
  });
}

/** The layout of Keras 1 and 2: the configuration an attribute, weights by the layer's name. */
function readWholeModel(file: Hdf5File): TrainedNetwork {
  const text = file.attrs['model_config']?.value;
  if (typeof text !== 'string') {
    throw new DomainError(
      'option_invalid',
      'expected a whole model in the .h5 file (model.save), got weights alone',
    );
  }
  const model = readTopology(parseJson(text, 'model_config'));
  return assemble(model, ({ name }, part) => {
    const group = file.get(`model_weights/${name}`);
    const names = isA<Group>(group, 'Group') ? group.attrs['weight_names']?.value : [];
    const path = [names].flat(2).find((one) => `${one}`.replace(/:0$/, '').endsWith(part));
    return path === undefined ? undefined : tensorOf(file.get(`model_weights/${name}/${path}`));
  });
}

/** Opens the bytes as an HDF5 file in h5wasm's memory, which is freed again. */
async function withHdf5<Result>(
  bytes: Uint8Array,
  read: (file: Hdf5File) => Result,
): Promise<Result> {
  const { default: hdf5 } = await import('h5wasm');
  const { FS, activate_throwing_error_handler } = await hdf5.ready;
  activate_throwing_error_handler(); // the other one prints on standard error
  withHdf5.count += 1;
  const path = `import-${withHdf5.count}.h5`;
  FS.writeFile(path, bytes);
  try {
    const file = new hdf5.File(path, 'r');
    // The library answers a file that it cannot open with an id below zero.
    if (file.file_id < 0n) throw new Error('the file does not open');
    try {
      return read(file);
    } finally {
      file.close();
    }
  } catch (thrown) {
    if (thrown instanceof DomainError) throw thrown;
    throw new DomainError('option_invalid', 'the HDF5 file is not sound', { cause: thrown });
  } finally {
    FS.unlink(path);
  }
}
withHdf5.count = 0;

function tensorOf(entity: Entity | null | undefined): ForeignTensor | undefined {
  if (!isA<Dataset>(entity, 'Dataset')) return undefined;
  const { shape, value, dtype } = entity;
  if (shape === null || !(value instanceof Float32Array)) {
    throw new DomainError('option_invalid', `expected weights of float32, got ${dtype}`);
  }
  return { shape, values: value };
}

/** A link that leads nowhere is an entity too, and has no type of these. */
function isA<One extends Entity>(
  entity: Entity | null | undefined,
  type: 'Dataset' | 'Group',
): entity is One {
  return entity !== null && entity !== undefined && 'type' in entity && entity.type === type;
}

function begins(bytes: Uint8Array, signature: readonly number[]): boolean {
  return signature.every((byte, index) => bytes[index] === byte);
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DomainError('option_invalid', `expected ${what} to be JSON`, { cause });
  }
}
