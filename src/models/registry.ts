import type { Batcher, BatcherOptions, DropReason } from '../batching/index.js';
import { defaultBatcherOptions } from '../batching/index.js';
import type { Engine, Precision } from '../engines/index.js';
import { DomainError } from '../errors.js';
import type { Preparer } from '../frames/index.js';
import { type ImportDraft, importVersion } from './import-version.js';
import { LoadedVersion, type Loan } from './loaded-version.js';
import type { Manifest, ModelState, StoredModel } from './model.js';
import { aliases, assertModelName, parseModelRef } from './model-ref.js';
import type { Aliases, ModelStore } from './model-store.js';
import { createTurns } from './turns.js';

export interface RegistryOptions {
  readonly batcher: Partial<BatcherOptions>;
  /** How often aliases are read from disk, so that another process can promote. @default 1000 */
  readonly pollMs: number;
  /** Versions in memory that are neither live nor lent; the least used is retired first. @default 4 */
  readonly maxIdleVersions: number;
  /** How long a batch of a model may wait for company, by its name; wins over `batcher`. @default {} */
  readonly delaysMs: Readonly<Record<string, number>>;
  /**
   * A version that was asked for by its number within this time is not retired when another
   * becomes live: its streams would wait while it is loaded again. @default 60 000 ms
   */
  readonly pinnedMs: number;
}

/** Hears of what happens; `log` of changes of state only. */
export interface RegistryCollaborators {
  readonly engine: Engine;
  readonly store: ModelStore;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
  readonly onDropped?: (manifest: Manifest, reason: DropReason) => void;
  readonly onRan?: (manifest: Manifest, batchSize: number, runMs: number) => void;
  /** Resizes frames as the CPU's way does: what resizing in a graph is held against. @default none */
  readonly preparer?: Pick<Preparer, 'prepare'>;
}

/** A counted loan of a version: it stays in memory until `release`. */
export interface Handle {
  readonly manifest: Manifest;
  /** "onnxruntime/cpu". */
  readonly device: string;
  readonly precision: Precision;
  readonly batcher: Batcher;
  readonly rawLanes: Loan['rawLanes'];
  readonly explainer: Loan['explainer'];
  /** Gives it back; a second call does nothing. */
  release(): void;
}

/** A version in memory, for metrics. */
export interface LoadedView {
  readonly manifest: Manifest;
  readonly state: ModelState;
  readonly device: string;
  /** null until it is loaded. */
  readonly precision: Precision | null;
  /** Whether it answers for its name, or would if it could be loaded and no other does. */
  readonly isLive: boolean;
  /**
   * Whether a frame would be run: not while its engine restarts or has it not loaded again yet, or
   * is another server that is away.
   */
  readonly canRun: boolean;
  /** null until it is loaded. */
  readonly queuedFrames: number | null;
  readonly queuedBytes: number | null;
}

/**
 * The versions in memory: which of them answers, and the way from one to the next.
 *
 * Behaviour: a promoted version is loaded, warmed and checked while the one before it
 * still answers; then the name points at the new one, at once for every later `acquire`,
 * and the old one is retired when its last loan has come back. So whoever borrows for
 * each frame loses none and never mixes two versions in a batch: each has its own.
 * Use: borrow for one frame, release in `finally`. Not for: holding on to a Handle
 * through a stream, which would keep an old version in memory.
 */
export interface Registry {
  /** Loads the live version of every name. A version that fails is logged, and the rest is served. */
  start(): Promise<void>;
  /**
   * Borrows a version: two look-ups and no I/O where it is in memory; one that is only on
   * disk is loaded first.
   * Throws `model_unknown`, `model_failed`, `option_invalid`, `not_ready`, `storage_failed`
   * or `draining`.
   */
  acquire(ref: string): Promise<Handle>;
  /**
   * Makes a version live: loads, warms and checks it, writes the aliases, then swaps. One
   * that failed is tried again. Throws as `acquire`: nothing changes then.
   * With `instead`, also `gate_refused` where another version than that is live by then.
   */
  promote(
    name: string,
    version: number,
    instead?: { readonly live: number | null },
  ): Promise<StoredModel>;
  /** Makes the previous live version live again. Throws `model_unknown` if there is none. */
  rollback(name: string): Promise<StoredModel>;
  list(): Promise<readonly StoredModel[]>;
  get(ref: string): Promise<StoredModel>;
  /** Adds a model made elsewhere as the candidate. Throws `option_invalid` or `model_failed`. */
  import(draft: ImportDraft): Promise<StoredModel>;
  /** What is in memory now; does not touch the disk. */
  loaded(): readonly LoadedView[];
  /** What should be live by the last look at the disk and is not in memory, as it cannot be read. */
  missing(): readonly { readonly name: string; readonly version: number }[];
  /** Refuses loans, waits for those that are out, frees everything. */
  close(): Promise<void>;
}

/** Makes a Registry. A server calls `start`; without it versions are loaded as they are asked for. */
export function createRegistry(
  options: Partial<RegistryOptions>,
  { engine, store, log, onDropped, onRan, preparer }: RegistryCollaborators,
): Registry {
  const { pollMs = 1000, maxIdleVersions = 4, pinnedMs = 60_000, delaysMs = {} } = options;
  const batcher = { ...defaultBatcherOptions, ...options.batcher };
  const collaborators = {
    engine,
    store,
    log,
    preparer,
    ...(onDropped ? { onDropped } : {}),
    ...(onRan ? { onRan } : {}),
  };
  /** By "name@version": what is lent, or may be. A failed one stays, so that its reason can be told. */
  const versions = new Map<string, LoadedVersion>();
  /** By name: the version that answers for it. */
  const live = new Map<string, LoadedVersion>();
  /** By name: the version that is to answer for it, as of the last look at the folder. */
  const wanted = new Map<string, number>();
  const retiring = new Map<LoadedVersion, Promise<void>>();
  /** When a version was last asked for by its number or an alias. */
  const pinnedAtMs = new WeakMap<LoadedVersion, number>();
  /** Changes of what is live follow each other, name by name. */
  const turns = createTurns();
  /** The only model there is, as of the last look at the folder. */
  let onlyName: string | null = null;
  let poll: NodeJS.Timeout | null = null;
  let polling: Promise<void> = Promise.resolve();
  let isClosed = false;

  const keyOf = (name: string, version: number) => `${name}@${version}`;
  const assertOpen = () => {
    if (isClosed) throw new DomainError('draining', 'the server is shutting down; try another');
  };

  /** The version in memory, ready or failed; loaded if it is not there. */
  const load = async (name: string, version: number): Promise<LoadedVersion> => {
    const key = keyOf(name, version);
    const present = versions.get(key) ?? (await begin(key, name, version));
    await present.ready.catch(() => {}); // told by whoever lends it
    return present;
  };
  const begin = async (key: string, name: string, version: number) => {
    const manifest = await store.read({ name, selector: { version } });
    assertOpen();
    // Two callers may have come here at once: the second takes what the first made.
    const present = versions.get(key);
    if (present) return present;
    const maxDelayMs = delaysMs[name] ?? batcher.maxDelayMs;
    const loaded = new LoadedVersion(manifest, {
      ...collaborators,
      batcher: { ...batcher, maxDelayMs },
    });
    versions.set(key, loaded);
    loaded.ready.then(
      () => {
        const { device, precision, precisionNote } = loaded;
        log.info({ model: key, device, precision }, 'version is ready');
        if (precisionNote !== '') {
          const reason = precisionNote;
          log.warn({ model: key, device, precision, reason }, 'version is not in half precision');
        }
        trim(loaded);
      },
      (error: unknown) => {
        log.error({ model: key, error }, 'version failed');
        // What is no fault of the version may be tried again.
        const isItsFault = loaded.failure?.code === 'model_failed';
        if (!isItsFault && versions.get(key) === loaded) versions.delete(key);
      },
    );
    return loaded;
  };

  const retire = (version: LoadedVersion) => {
    const key = keyOf(version.manifest.name, version.manifest.version);
    if (versions.get(key) === version) versions.delete(key);
    const done = version
      .retire()
      .catch((error: unknown) => log.warn({ model: key, error }, 'version could not be unloaded'))
      .finally(() => {
        retiring.delete(version);
        log.info({ model: key }, 'version is retired');
      });
    retiring.set(version, done);
  };

  /** Frees what nobody has used for longest, beyond the live versions and the newest. */
  const trim = (newest: LoadedVersion) => {
    const idle = [...versions.values()]
      .filter((version) => version.state === 'ready' && version.loans === 0)
      .filter((version) => version !== newest && live.get(version.manifest.name) !== version)
      .sort((left, right) => right.lastUsedAtMs - left.lastUsedAtMs);
    for (const version of idle.slice(maxIdleVersions - 1)) retire(version);
  };

  /** Loads, does what comes before the swap, swaps. Throws why not; then nothing has changed. */
  const makeLive = async (
    name: string,
    version: number,
    beforeSwap: () => Promise<unknown>,
  ): Promise<void> => {
    const next = await load(name, version);
    const loan = next.lend(); // nobody may retire it in between
    try {
      await beforeSwap();
      const before = live.get(name);
      if (before === next || isClosed) return;
      live.set(name, next);
      log.info({ model: keyOf(name, version) }, 'version is live');
      if (!before) return;
      const pinned = pinnedAtMs.get(before) ?? Number.NEGATIVE_INFINITY;
      if (performance.now() - pinned >= pinnedMs) retire(before);
    } finally {
      loan.release();
    }
  };

  const promoteInTurn = async (
    name: string,
    version: number,
    instead?: { readonly live: number | null },
  ): Promise<StoredModel> => {
    assertOpen();
    const key = keyOf(name, version);
    if (versions.get(key)?.state === 'failed') versions.delete(key);
    await makeLive(name, version, () =>
      store.changeAliases(name, (now) => {
        if (instead !== undefined && (now.live ?? null) !== instead.live) {
          throw new DomainError(
            'gate_refused',
            `${key} was judged against version ${instead.live}, and version ${now.live} is live by now; promote it again`,
          );
        }
        return afterPromotion(now, version);
      }),
    );
    return describe(await store.read({ name, selector: { version } }));
  };

  /** Makes live what another process says is, unless it failed before. */
  const follow = (name: string) =>
    turns.take(name, async () => {
      const { live: version } = await store.aliases(name);
      if (version === undefined || isClosed) return;
      wanted.set(name, version);
      if (live.get(name)?.manifest.version === version) return;
      if (versions.get(keyOf(name, version))?.state === 'failed') return;
      await makeLive(name, version, async () => {});
    });
  const followAll = async () => {
    const names = await store.names();
    onlyName = names.length === 1 ? (names[0] ?? null) : null;
    for (const name of wanted.keys()) if (!names.includes(name)) wanted.delete(name);
    for (const name of names) {
      await follow(name).catch((error: unknown) =>
        log.warn({ model: name, error }, 'what is live on disk could not be made live'),
      );
    }
  };
  const pollLater = () => {
    if (isClosed) return;
    poll = setTimeout(() => {
      polling = followAll()
        .catch((error: unknown) => log.warn({ error }, 'the models folder cannot be read'))
        .then(pollLater);
    }, pollMs);
    poll.unref();
  };

  const describe = async (manifest: Manifest): Promise<StoredModel> => {
    const key = keyOf(manifest.name, manifest.version);
    const leaving = [...retiring.keys()].find(
      (version) => keyOf(version.manifest.name, version.manifest.version) === key,
    );
    const loaded = versions.get(key) ?? leaving;
    const pointing = await store.aliases(manifest.name);
    return {
      manifest,
      state: loaded?.state ?? 'stored',
      aliases: aliases.filter((alias) => pointing[alias] === manifest.version),
      device: loaded?.device ?? '',
      precision: loaded?.precision ?? null,
      precisionNote: loaded?.precisionNote ?? '',
      resizeNote: loaded?.resizeNote ?? '',
      failure: loaded?.failure?.message ?? '',
    };
  };

  const isLive = (version: LoadedVersion): boolean => {
    const { name, version: number } = version.manifest;
    const answers = live.get(name);
    return answers === undefined ? wanted.get(name) === number : answers === version;
  };

  /** The way of nearly every frame. */
  const lookUp = (ref: string): LoadedVersion | undefined =>
    live.get(ref === '' && onlyName !== null ? onlyName : ref) ?? versions.get(ref);

  const find = async (text: string): Promise<LoadedVersion> => {
    const ref = parseModelRef(text);
    const { name, version } = await store.resolve(ref);
    const isForLive = 'alias' in ref.selector && ref.selector.alias === 'live';
    const present = isForLive ? live.get(name) : undefined;
    if (present) return present;
    const loaded = await load(name, version);
    if (isForLive && loaded.state === 'ready' && !live.has(name)) live.set(name, loaded);
    return loaded;
  };

  return {
    async start() {
      await followAll();
      pollLater();
    },
    async acquire(ref) {
      for (;;) {
        assertOpen();
        const version = lookUp(ref) ?? (await find(ref));
        // One that was retired while it was waited for has a successor by now.
        if (version.state === 'draining' || version.state === 'gone') continue;
        await (version.state === 'ready' ? null : version.ready);
        if (ref.includes('@')) pinnedAtMs.set(version, performance.now());
        return { manifest: version.manifest, ...version.lend() };
      }
    },
    promote: (name, version, instead) =>
      turns.take(name, () => promoteInTurn(name, version, instead)),
    rollback: (name) =>
      turns.take(name, async () => {
        assertModelName(name);
        const { version } = await store.resolve({ name, selector: { alias: 'previous' } });
        return promoteInTurn(name, version);
      }),
    async list() {
      return Promise.all((await store.list()).map(describe));
    },
    async get(ref) {
      return describe(await store.read(ref));
    },
    async import(draft) {
      assertOpen();
      return describe(await importVersion(draft, { engine, store }));
    },
    loaded: () =>
      [...versions.values(), ...retiring.keys()].map((version) => ({
        manifest: version.manifest,
        state: version.state,
        device: version.device,
        precision: version.precision,
        isLive: isLive(version),
        canRun: version.canRun,
        queuedFrames: version.queued?.frames ?? null,
        queuedBytes: version.queued?.bytes ?? null,
      })),
    missing: () =>
      [...wanted]
        .filter(([name, version]) => !live.has(name) && !versions.has(keyOf(name, version)))
        .map(([name, version]) => ({ name, version })),
    async close() {
      isClosed = true;
      if (poll) clearTimeout(poll);
      await polling;
      await turns.settled();
      live.clear();
      for (const version of [...versions.values()]) retire(version);
      await Promise.all(retiring.values());
    },
  };
}

/** The aliases once `version` is live: what was live before can be rolled back to. */
function afterPromotion(now: Aliases, version: number): Aliases {
  if (now.live === version) return now;
  const { candidate, previous: _, live: before } = now;
  return {
    live: version,
    ...(before === undefined ? {} : { previous: before }),
    ...(candidate === undefined || candidate === version ? {} : { candidate }),
  };
}
