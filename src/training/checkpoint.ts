import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { DomainError } from '../errors.js';
import { storageFailed, writeDurably } from '../files/index.js';
import type { Parameters } from '../graph/index.js';
import type { Progress } from './progress.js';
import type { RunSpec } from './run.js';

/** A training at a step: enough to serve its weights and, with its progress, to go on. */
export interface Checkpoint {
  readonly spec: RunSpec;
  /** Epochs done. */
  readonly epoch: number;
  /** Steps done, from the start of the Run. */
  readonly step: number;
  /** Weights, and what else is kept (`conv1/kernel`, `conv1/kernel/m`), float32. */
  readonly state: Parameters;
  /** null where the weights are all there is. */
  readonly progress: Progress | null;
}

/** What the file says beside its tensors. */
type About = Omit<Checkpoint, 'state'>;

interface TensorEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/**
 * Writes a checkpoint in the safetensors layout: 8 bytes length, a JSON header, float32
 * little-endian. Spec, progress and a SHA-256 over header and values lie in `__metadata__`.
 * The values are read while it writes: do not change them before it resolves.
 *
 * Throws `storage_failed`; the checkpoint that was there stays.
 * Source of the layout: github.com/huggingface/safetensors, README, "Format".
 */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const { state, ...about } = checkpoint;
  const tensors: Record<string, TensorEntry> = {};
  const values: Uint8Array[] = [];
  let end = 0;
  for (const [name, tensor] of state) {
    const { buffer, byteOffset, byteLength } = tensor.values;
    values.push(new Uint8Array(buffer, byteOffset, byteLength));
    const from = end;
    end += byteLength;
    tensors[name] = { dtype: 'F32', shape: tensor.shape, data_offsets: [from, end] };
  }
  const text = JSON.stringify(about);
  const metadata = { format: 'cytostream-checkpoint-1', about: text };
  const sha256 = checksum(text, tensors, values);
  const header = JSON.stringify({ __metadata__: { ...metadata, sha256 }, ...tensors });
  // The layout wants the values to begin at a multiple of 8, filled up by spaces.
  const bytes = Buffer.from(header);
  const padded = Buffer.alloc(Math.ceil(bytes.byteLength / 8) * 8, ' ');
  padded.set(bytes);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.byteLength));
  await writeDurably(path, [length, padded, ...values]);
}

/**
 * Reads a checkpoint back. Throws `checkpoint_unknown` where there is none, and
 * `checkpoint_corrupt` for a file that is cut, changed or something else.
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const file = await readFile(path).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new DomainError('checkpoint_unknown', `there is no checkpoint ${basename(path)}`);
    }
    throw storageFailed(`cannot read ${basename(path)}`, cause);
  });
  const corrupt = (fault: string) =>
    new DomainError('checkpoint_corrupt', `${basename(path)} is no sound checkpoint: ${fault}`);

  const length = file.byteLength < 8 ? Number.NaN : Number(file.readBigUInt64LE());
  if (!(8 + length <= file.byteLength)) throw corrupt('its header is cut');
  const { metadata, tensors } = parseHeader(file.subarray(8, 8 + length), corrupt);
  const data = file.subarray(8 + length);
  const ends = Object.values(tensors).map(({ data_offsets }) => data_offsets[1]);
  const expected = Math.max(0, ...ends);
  if (data.byteLength !== expected) {
    throw corrupt(`expected ${expected} bytes of values, got ${data.byteLength}`);
  }
  if (checksum(metadata.about, tensors, [data]) !== metadata.sha256) {
    throw corrupt('its SHA-256 differs');
  }
  const state = Object.entries(tensors).map(([name, { shape, data_offsets }]) => {
    const [from, to] = data_offsets;
    // Copied, since the values need not lie at a multiple of 4 in the file's buffer.
    const bytes = Uint8Array.prototype.slice.call(data, from, to);
    return [name, { shape, values: new Float32Array(bytes.buffer) }] as const;
  });
  return { ...(JSON.parse(metadata.about) as About), state: new Map(state) };
}

interface Header {
  readonly metadata: { readonly about: string; readonly sha256: string };
  readonly tensors: Readonly<Record<string, TensorEntry>>;
}

function parseHeader(bytes: Uint8Array, corrupt: (fault: string) => DomainError): Header {
  let header: Record<string, unknown>;
  try {
    header = JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown>;
  } catch {
    throw corrupt('its header is no JSON');
  }
  const { __metadata__: metadata, ...tensors } = header ?? {};
  const { about, sha256 } = (metadata ?? {}) as Record<string, unknown>;
  if (typeof about !== 'string' || typeof sha256 !== 'string') {
    throw corrupt('its header lacks what we write');
  }
  const isTensor = (value: unknown) =>
    Array.isArray((value as TensorEntry | null)?.data_offsets) &&
    Array.isArray((value as TensorEntry).shape);
  if (!Object.values(tensors).every(isTensor)) throw corrupt('its header lists no tensors');
  return { metadata: { about, sha256 }, tensors: tensors as Record<string, TensorEntry> };
}

/** Over everything that matters: what it is about, where each tensor lies, the values. */
function checksum(
  about: string,
  tensors: Readonly<Record<string, TensorEntry>>,
  values: readonly Uint8Array[],
): string {
  const hash = createHash('sha256').update(about).update('\0').update(JSON.stringify(tensors));
  for (const part of values) hash.update(part);
  return hash.digest('hex');
}
