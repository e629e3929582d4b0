import type { Batcher, BatcherOptions, DropReason } from '../batching/index.js';
import { defaultBatcherOptions } from '../batching/index.js';
import type { Engine } from '../engines/index.js';
import { DomainError } from '../errors.js';
import type { InputSpec } from '../frames/index.js';
import type { LabelSet } from '../label-set.js';
import { createGoldenFrame } from './golden.js';
import { LoadedVersion } from './loaded-version.js';
import type { Manifest, ModelState, StoredModel } from './model.js';
import { type Alias, aliases, parseModelRef } from './model-ref.js';
import type { Aliases, ModelStore } from './model-store.js';

export interface RegistryOptions {
  readonly batcher: Partial<BatcherOptions>;
  /** How often aliases are read from disk, so that another process can promote. @default 1000 */
  readonly pollMs: number;
  /** Versions in memory beyond the live ones; the least used is retired first. @default 4 */
  readonly maxIdleVersions: number;
}

/** Hears of what happens; `log` of changes of state only. */
export interface RegistryCollaborators {
  readonly engine: Engine;
  readonly store: ModelStore;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
  readonly onDropped?: (manifest: Manifest, reason: DropReason) => void;
  readonly onRan?: (manifest: Manifest, batchSize: number, runMs: number) => void;
}

/** A counted loan of a version: it stays in memory until `release`. */
export interface Handle {
  readonly manifest: Manifest;
  /** "onnxruntime/cpu". */
  readonly device: string;
  readonly batcher: Batcher;
  /** Gives it back; a second call does nothing. */
  release(): void;
}

/** A model made elsewhere. */
export interface ImportDraft {
  readonly name: string;
  readonly onnx: Uint8Array;
  readonly labels: LabelSet;
  readonly inputSpec: InputSpec;
  readonly thresholds: readonly number[];
  readonly thresholdsSource: string;
}

/** A version in memory, for metrics. */
export interface LoadedView {
  readonly manifest: Manifest;
  readonly state: ModelState;
  readonly device: string;
  readonly isLive: boolean;
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
   * Borrows a version; one that is only on disk is loaded first.
   * Throws `model_unknown`, `model_failed`, `option_invalid` or `draining`.
   */
  acquire(ref: string): Promise<Handle>;
  /** Makes a version live. Throws `model_unknown`, or `model_failed`: nothing changes then. */
  promote(name: string, version: number): Promise<StoredModel>;
  /** Makes the previous live version live again. Throws `model_unknown` if there is none. */
  rollback(name: string): Promise<StoredModel>;
  list(): Promise<readonly StoredModel[]>;
  get(ref: string): Promise<StoredModel>;
  /** Adds a model made elsewhere as a version; not promoted. Throws `option_invalid` or `model_failed`. */
  import(draft: ImportDraft): Promise<StoredModel>;
  /** What is in memory now; does not touch the disk. */
  loaded(): readonly LoadedView[];
  /** Refuses loans, waits for those that are out, frees everything. */
  close(): Promise<void>;
}

/** Makes a Registry. Call `start` before anything else. */
export function createRegistry(
  options: Partial<RegistryOptions>,
  { engine, store, log, onDropped, onRan }: RegistryCollaborators,
): Registry {
  const { pollMs = 1000, maxIdleVersions = 4 } = options;
  const batcher = { ...defaultBatcherOptions, ...options.batcher };
  const collaborators = {
    engine,
    store,
    batcher,
    ...(onDropped ? { onDropped } : {}),
    ...(onRan ? { onRan } : {}),
  };
  /** By "name@version". A failed one stays, so that its reason can be told. */
  const versions = new Map<string, LoadedVersion>();
  /** By name: the version that answers for it. */
  const live = new Map<string, LoadedVersion>();
  const retiring = new Set<Promise<void>>();
  /** Promotions of a name follow each other; by name, the last of them. */
  const turns = new Map<string, Promise<unknown>>();
  let poll: NodeJS.Timeout | null = null;
  let isClosed = false;

  const keyOf = (name: string, version: number) => `${name}@${version}`;

  /** The version in memory, loaded anew if it is not there or was retired. */
  const load = async (name: string, version: number, retryFailed = false) => {
    const key = keyOf(name, version);
    const present = versions.get(key);
    const isOver =
      present?.state === 'draining' ||
      present?.state === 'gone' ||
      (present?.state === 'failed' && retryFailed);
    if (present && !isOver) return present;
    const manifest = await store.read({ name, selector: { version } });
    // Two callers may have come here at once: the second takes what the first made.
    const now = versions.get(key);
    if (now && now !== present) return now;
    const loaded = new LoadedVersion(manifest, collaborators);
    versions.set(key, loaded);
    loaded.ready.then(
      () => log.info({ model: key, device: loaded.device }, 'version is ready'),
      (error: unknown) => log.warn({ model: key, err: error }, 'version failed'),
    );
    return loaded;
  };

  const retire = (version: LoadedVersion) => {
    const key = keyOf(version.manifest.name, version.manifest.version);
    const done = version.retire().finally(() => {
      retiring.delete(done);
      if (versions.get(key) === version && version.state === 'gone') versions.delete(key);
      log.info({ model: key }, 'version is retired');
    });
    retiring.add(done);
  };

  /** Loads, checks, then points the name at the version. The old one answers until then. */
  const makeLive = async (name: string, version: number) => {
    const next = await load(name, version, true);
    await next.ready;
    const before = live.get(name);
    if (before === next) return;
    live.set(name, next);
    log.info({ model: keyOf(name, version) }, 'version is live');
    if (before) retire(before);
  };

  const inTurn = <T>(name: string, action: () => Promise<T>): Promise<T> => {
    const turn = (turns.get(name) ?? Promise.resolve()).then(action, action);
    turns.set(name, turn);
    return turn;
  };

  const promote = (name: string, version: number, next: (now: Aliases) => Aliases) =>
    inTurn(name, async () => {
      await makeLive(name, version);
      await store.setAliases(name, next(await store.aliases(name)));
      return describe(await store.read({ name, selector: { version } }));
    });

  /** Follows aliases that another process has set. */
  const follow = async () => {
    for (const name of await store.names()) {
      const wanted = (await store.aliases(name)).live;
      const now = live.get(name);
      if (wanted === undefined || now?.manifest.version === wanted) continue;
      // A version that failed is not tried again until it is promoted by a call.
      if (versions.get(keyOf(name, wanted))?.state === 'failed') continue;
      await inTurn(name, () => makeLive(name, wanted)).catch((error: unknown) =>
        log.warn({ model: keyOf(name, wanted), err: error }, 'version could not be made live'),
      );
    }
  };
  const pollSoon = () => {
    if (isClosed) return;
    poll = setTimeout(() => {
      follow()
        .catch((error: unknown) => log.warn({ err: error }, 'the models folder cannot be read'))
        .finally(pollSoon);
    }, pollMs);
    poll.unref();
  };

  /** Frees what nobody has used for longest, beyond the live versions. */
  const trim = () => {
    const idle = [...versions.values()]
      .filter((version) => version.state === 'ready' && version.loans === 0)
      .filter((version) => live.get(version.manifest.name) !== version)
      .sort((left, right) => right.lastUsedAtMs - left.lastUsedAtMs);
    for (const version of idle.slice(maxIdleVersions)) retire(version);
  };

  const describe = async (manifest: Manifest): Promise<StoredModel> => {
    const loaded = versions.get(keyOf(manifest.name, manifest.version));
    const pointing = await store.aliases(manifest.name);
    return {
      manifest,
      state: loaded && loaded.state !== 'gone' ? loaded.state : 'stored',
      aliases: aliases.filter((alias) => pointing[alias] === manifest.version),
      device: loaded?.device ?? '',
      failure: loaded?.failure ?? '',
    };
  };

  const find = async (text: string): Promise<LoadedVersion> => {
    const ref = parseModelRef(text);
    if ('alias' in ref.selector && ref.selector.alias === 'live') {
      const only = live.size === 1 ? live.values().next().value : undefined;
      const found = ref.name === '' ? only : live.get(ref.name);
      if (found) return found;
    }
    const { name, version } = await store.resolve(ref);
    const loaded = await load(name, version);
    if (loaded.state === 'loading' || loaded.state === 'warming') await loaded.ready;
    if ('alias' in ref.selector && ref.selector.alias === 'live' && !live.has(name)) {
      live.set(name, loaded);
    }
    return loaded;
  };

  return {
    async start() {
      await follow();
      pollSoon();
    },
    async acquire(ref) {
      if (isClosed) throw new DomainError('draining', 'the server is shutting down; try another');
      const version = await find(ref);
      const { manifest } = version;
      const handle = { manifest, ...version.lend() };
      trim();
      return handle;
    },
    promote: (name, version) => promote(name, version, (now) => afterPromotion(now, version)),
    async rollback(name) {
      const { version } = await store.resolve({ name, selector: { alias: 'previous' } });
      return promote(name, version, (now) => afterPromotion(now, version));
    },
    async list() {
      return Promise.all((await store.list()).map(describe));
    },
    async get(ref) {
      return describe(await store.read(ref));
    },
    async import({ name, onnx, ...described }) {
      const { inputSpec, labels } = described;
      const frame = createGoldenFrame(inputSpec);
      const { channels, heightPx, widthPx } = inputSpec;
      const session = await engine.load({
        model: onnx,
        inputShape: [channels.length, heightPx, widthPx],
        labelCount: labels.length,
      });
      try {
        const { probabilities } = await session.run(Uint8Array.from(frame), 1);
        const manifest = await store.publish({
          ...described,
          name,
          model: onnx,
          scores: null,
          runId: null,
          datasetFingerprint: null,
          parent: null,
          golden: { frame, output: probabilities },
        });
        return await describe(manifest);
      } finally {
        await session.close();
      }
    },
    loaded: () =>
      [...versions.values()].map((version) => ({
        manifest: version.manifest,
        state: version.state,
        device: version.device,
        isLive: live.get(version.manifest.name) === version,
        queuedFrames: version.batcher?.queuedFrames ?? null,
        queuedBytes: version.batcher?.queuedBytes ?? null,
      })),
    async close() {
      isClosed = true;
      if (poll) clearTimeout(poll);
      await Promise.allSettled(turns.values());
      live.clear();
      for (const version of versions.values()) retire(version);
      await Promise.allSettled([...retiring]);
      versions.clear();
    },
  };
}

/** The aliases once `version` is live: what was live before can be rolled back to. */
function afterPromotion(now: Aliases, version: number): Aliases {
  if (now.live === version) return now;
  const next: Partial<Record<Alias, number>> = { ...now, live: version };
  if (now.live !== undefined) next.previous = now.live;
  if (now.candidate === version) delete next.candidate;
  return next;
}
