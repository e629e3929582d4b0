import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { DomainError } from '../errors.js';
import {
  codeOf,
  makeFolder,
  reasonOf,
  removeUnfinished,
  storageFailed,
  unfinishedPrefix,
  writeFolder,
} from '../files/index.js';
import { parseManifest } from './manifest.js';
import type { Manifest, ModelRef } from './model.js';
import { type Alias, aliases, assertModelName, isModelName, parseModelRef } from './model-ref.js';
import { createTurns } from './turns.js';
import { assertDraft, type VersionDraft } from './version-draft.js';

/** Writing a version takes seconds: what is older was left by a process that died. */
const leftoverAgeMs = 60 * 60 * 1000;

/**
 * The files of a version beside its manifest; `explain.onnx` only where it explains itself,
 * `frames.json` where it is known what it was trained on.
 */
export type VersionFile = 'model.onnx' | 'explain.onnx' | 'golden.bin' | 'frames.json';

/** Which version each alias points at. */
export type Aliases = Readonly<Partial<Record<Alias, number>>>;

/**
 * The versions on disk: `<dir>/<name>/<version>/{model.onnx, model.json, golden.bin}` and
 * `<dir>/<name>/aliases.json`.
 *
 * Behaviour: a version is written whole or not at all, never changed, and numbered from
 * 1 up; two publishers never get the same number. Aliases are swapped atomically. Several
 * processes may use one folder.
 */
export interface ModelStore {
  /** The folder. */
  readonly path: string;
  /** The names that have a version, sorted. */
  names(): Promise<readonly string[]>;
  /** The versions of a name, ascending; none for an unknown name. */
  versions(name: string): Promise<readonly number[]>;
  /** Every version, by name, then version. Leaves out those whose manifest cannot be read. */
  list(): Promise<readonly Manifest[]>;
  /** Which version is meant. Throws `model_unknown` that says what there is. */
  resolve(ref: ModelRef | string): Promise<{ readonly name: string; readonly version: number }>;
  /** Throws `model_unknown`, or `model_failed` for a manifest that cannot be read. */
  read(ref: ModelRef | string): Promise<Manifest>;
  /** A file of a version, its checksum verified. Throws `model_failed`. */
  readFile(manifest: Manifest, file: VersionFile): Promise<Uint8Array>;
  /** Writes a new version. Throws `option_invalid`, or `storage_failed` for a full disk. */
  publish(draft: VersionDraft): Promise<Manifest>;
  aliases(name: string): Promise<Aliases>;
  /**
   * Changes the aliases of a name at once. Of two processes that do so at the same moment
   * the later wins; within one, changes follow each other.
   */
  changeAliases(name: string, change: (now: Aliases) => Aliases): Promise<Aliases>;
  /** Points one alias at a version. Throws `model_unknown` if there is no such version. */
  setAlias(name: string, alias: Alias, version: number): Promise<void>;
}

/**
 * Opens the folder, which is made if it is missing.
 * Throws `storage_failed` if it cannot be made or written.
 */
export async function openModelStore(path: string): Promise<ModelStore> {
  await assertWritable(path);
  const turns = createTurns();

  const names = async () => {
    const found: string[] = [];
    for (const name of await readdir(path)) {
      if (isModelName(name) && (await versions(name)).length > 0) found.push(name);
    }
    return found.sort();
  };
  const versions = async (name: string) => {
    const entries = await readdir(join(path, name)).catch(() => []);
    return entries
      .filter((entry) => /^[1-9][0-9]{0,8}$/.test(entry))
      .map(Number)
      .sort((left, right) => left - right);
  };
  const readManifest = async (name: string, version: number) => {
    const what = `${name}@${version}`;
    const text = await readFile(join(path, name, String(version), 'model.json'), 'utf8').catch(
      (cause: unknown) => {
        throw new DomainError('model_failed', `${what}: model.json cannot be read`, { cause });
      },
    );
    const manifest = parseManifest(text, what);
    if (manifest.name === name && manifest.version === version) return manifest;
    throw new DomainError(
      'model_failed',
      `${what}: model.json is that of ${manifest.name}@${manifest.version}`,
    );
  };
  const readAliases = async (name: string): Promise<Aliases> => {
    const text = await readFile(join(path, name, 'aliases.json'), 'utf8').catch(
      (cause: unknown) => {
        if (codeOf(cause) === 'ENOENT' || codeOf(cause) === 'ENOTDIR') return '{}';
        // Never taken for "none": the next change would lose them.
        throw new DomainError('storage_failed', `${name}: aliases.json cannot be read`, { cause });
      },
    );
    const found: Partial<Record<Alias, number>> = {};
    let read: Record<string, unknown>;
    try {
      read = Object(JSON.parse(text));
    } catch (cause) {
      throw new DomainError('model_failed', `${name}: aliases.json is not JSON`, { cause });
    }
    for (const alias of aliases) {
      const version = read[alias];
      if (typeof version === 'number' && Number.isInteger(version)) found[alias] = version;
    }
    return found;
  };
  const resolve = async (given: ModelRef | string) => {
    const ref = typeof given === 'string' ? parseModelRef(given) : given;
    const name = ref.name === '' ? await onlyName() : ref.name;
    assertModelName(name); // it becomes part of a path
    const known = await versions(name);
    if (known.length === 0) throw unknownName(name, await names());
    const { selector } = ref;
    const pointed =
      'version' in selector ? selector.version : (await readAliases(name))[selector.alias as Alias];
    if (pointed !== undefined && known.includes(pointed)) return { name, version: pointed };
    const wanted = 'version' in selector ? `version ${selector.version}` : selector.alias;
    throw new DomainError(
      'model_unknown',
      `${name} has no ${wanted}${'version' in selector ? '' : ' version'}; it has ${known.join(', ')}`,
    );
  };
  const onlyName = async () => {
    const known = await names();
    if (known.length === 1 && known[0] !== undefined) return known[0];
    throw known.length === 0
      ? unknownName('', known)
      : new DomainError('option_invalid', `model: expected one of ${known.join(', ')}, got none`);
  };
  const changeAliases = (name: string, change: (now: Aliases) => Aliases) =>
    turns.take(name, async () => {
      assertModelName(name);
      const next = change(await readAliases(name));
      await writing(() =>
        writeFileAtomic(join(path, name, 'aliases.json'), `${JSON.stringify(next, null, 2)}\n`),
      );
      return next;
    });

  return {
    path,
    names,
    versions,
    async list() {
      const all: Manifest[] = [];
      for (const name of await names()) {
        for (const version of await versions(name)) {
          const manifest = await readManifest(name, version).catch(() => null);
          if (manifest) all.push(manifest);
        }
      }
      return all;
    },
    resolve,
    async read(ref) {
      const { name, version } = await resolve(ref);
      return readManifest(name, version);
    },
    async readFile({ name, version, files }, file) {
      const what = `${name}@${version}: ${file}`;
      const bytes = await readFile(join(path, name, String(version), file)).catch(
        (cause: unknown) => {
          throw new DomainError('model_failed', `${what} cannot be read`, { cause });
        },
      );
      if ((await sha256(bytes)) === files[file]) return bytes;
      throw new DomainError(
        'model_failed',
        `${what} is not the file that was published; bring that back, or promote another version`,
      );
    },
    async publish(draft) {
      assertDraft(draft);
      const { golden, model, drift = null, explanation = null, seen = null, ...described } = draft;
      const contents = {
        'model.onnx': model,
        ...(explanation ? { 'explain.onnx': explanation.model } : {}),
        'golden.bin': golden.frame,
        ...(seen ? { 'frames.json': Buffer.from(JSON.stringify(seen)) } : {}),
      };
      const checksums: Record<string, string> = {};
      for (const [file, bytes] of Object.entries(contents)) checksums[file] = await sha256(bytes);
      // Another publisher may take the number first: the rename then fails, and the next is tried.
      for (;;) {
        const version = ((await versions(draft.name)).at(-1) ?? 0) + 1;
        const manifest: Manifest = {
          ...described,
          calibration: draft.calibration ?? null,
          training: draft.training ?? null,
          version,
          createdAt: new Date().toISOString(),
          thresholds: [...draft.thresholds],
          drift,
          explanation: explanation?.spec ?? null,
          files: checksums,
          goldenOutput: Array.from(golden.output),
        };
        const folder = join(path, draft.name, String(version));
        const files = {
          ...contents,
          'model.json': `${JSON.stringify(manifest, null, 2)}\n`,
        };
        try {
          await writing(() => writeFolder(folder, files));
          return manifest;
        } catch (error) {
          if ((await versions(draft.name)).includes(version)) continue;
          throw error;
        }
      }
    },
    aliases: readAliases,
    changeAliases,
    async setAlias(name, alias, version) {
      await resolve({ name, selector: { version } });
      await changeAliases(name, (now) => ({ ...now, [alias]: version }));
    },
  };
}

async function assertWritable(path: string): Promise<void> {
  try {
    await makeFolder(path);
    // Permission bits say nothing to root, on a read-only disk or on a network share: try.
    await rm(await mkdtemp(join(path, unfinishedPrefix)), { recursive: true });
    for (const name of (await readdir(path)).filter(isModelName)) {
      // What is there may be no folder, and then holds no leftovers.
      await removeUnfinished(join(path, name), leftoverAgeMs).catch(() => {});
    }
  } catch (cause) {
    throw new DomainError(
      'storage_failed',
      `expected a models folder that can be read and written, got ${path} (${reasonOf(cause)})`,
      { cause },
    );
  }
}

/** Runs a write; a disk that fails is `storage_failed`, without its paths. */
async function writing(write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (cause) {
    throw storageFailed('the models folder cannot be written', cause);
  }
}

function unknownName(name: string, known: readonly string[]): DomainError {
  const what = name === '' ? 'there is no model yet' : `there is no model "${name}"`;
  const instead = known.length === 0 ? 'train or import one first' : `there is ${known.join(', ')}`;
  return new DomainError('model_unknown', `${what}; ${instead}`);
}

/** Computed off the event loop: 20 MB would stall it for some 20 ms. */
async function sha256(bytes: Uint8Array): Promise<string> {
  // `as`: what is read from a file or built here never lies in shared memory.
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Buffer.from(digest).toString('hex');
}
