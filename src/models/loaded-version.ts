import {
  type Batcher,
  type BatcherOptions,
  createBatcher,
  type DropReason,
} from '../batching/index.js';
import type { Engine, Precision, Session } from '../engines/index.js';
import { DomainError } from '../errors.js';
import type { Preparer } from '../frames/index.js';
import { loadInPrecision } from './choose-precision.js';
import { createExplainer, type Explainer } from './explainer.js';
import { goldenToleranceIn, largestDifference } from './golden.js';
import type { Manifest, ModelState } from './model.js';
import type { ModelStore } from './model-store.js';
import type { LaneCollaborators } from './open-lane.js';
import { createRawLanes, type RawLanes } from './raw-lanes.js';
import { checkSizes, type WarmRow, warmSizes } from './warm-sizes.js';

export interface LoadCollaborators {
  readonly engine: Engine;
  readonly store: ModelStore;
  readonly batcher: Partial<BatcherOptions> & { readonly batchSizes: readonly number[] };
  readonly onDropped?: (manifest: Manifest, reason: DropReason) => void;
  readonly onRan?: (manifest: Manifest, batchSize: number, runMs: number) => void;
  /** Resizes a frame as the CPU's way does; without it no frame is resized in a graph. */
  readonly preparer?: Pick<Preparer, 'prepare'> | undefined;
  readonly log: LaneCollaborators['log'];
}

/** A version while it is lent. */
export interface Loan {
  readonly batcher: Batcher;
  readonly rawLanes: Pick<RawLanes, 'laneFor'>;
  readonly explainer: Pick<Explainer, 'assertExplains' | 'explain'>;
  readonly device: string;
  readonly precision: Precision;
  release(): void;
}

/** What of a version is there once it is ready. */
interface Served {
  readonly session: Session;
  readonly precisionNote: string;
  readonly batcher: Batcher;
  readonly rawLanes: RawLanes;
}

/** loading > warming > ready > draining > gone; any > failed. */
const legal: Readonly<Record<Exclude<ModelState, 'stored'>, readonly ModelState[]>> = {
  loading: ['warming', 'failed', 'draining'],
  warming: ['ready', 'failed', 'draining'],
  ready: ['draining', 'failed'],
  draining: ['gone', 'failed'],
  gone: [],
  failed: [],
};

/**
 * One version in memory, from loading to gone.
 *
 * Behaviour: loads, runs every batch size up to those that gain nothing, and is ready only if
 * its golden frame came out as recorded in every row of every size that will be run: so each
 * shape is compiled before the first frame, and a frame's answer is the same alone and in
 * any batch. An engine that loads it again holds it against the same before it runs frames.
 * It runs in half precision where the engine wants that and `loadInPrecision` finds it right.
 * Loans are counted: `retire` waits for the last to come back.
 * States go one way; a version that is wanted again is loaded anew.
 */
export class LoadedVersion {
  readonly manifest: Manifest;
  readonly #collaborators: LoadCollaborators;
  readonly #explainer: Explainer;
  #state: Exclude<ModelState, 'stored'> = 'loading';
  #failure: DomainError | null = null;
  #served: Served | null = null;
  #loans = 0;
  #whenReturned: (() => void) | null = null;
  #lastUsedAtMs = performance.now();
  /** Settles when it is ready; rejects with `failure`. */
  readonly ready: Promise<void>;

  constructor(manifest: Manifest, collaborators: LoadCollaborators) {
    this.manifest = manifest;
    this.#collaborators = collaborators;
    this.#explainer = createExplainer(manifest, collaborators);
    this.ready = this.#load();
    // Whoever needs it awaits it; a failure is told by `failure` as well.
    this.ready.catch(() => {});
  }

  get state(): Exclude<ModelState, 'stored'> {
    return this.#state;
  }

  /** Why it failed; null if it did not. */
  get failure(): DomainError | null {
    return this.#failure;
  }

  /** Empty until it is loaded. */
  get device(): string {
    return this.#served?.session.device ?? '';
  }

  /** What it computes in; null until it is loaded. */
  get precision(): Precision | null {
    return this.#served?.session.precision ?? null;
  }

  /** Why it is in full precision although half was wanted; empty if there is nothing to say. */
  get precisionNote(): string {
    return this.#served?.precisionNote ?? '';
  }

  /**
   * Whether a frame would be run: not while its engine restarts or has it not loaded again yet, or
   * is another server that is away.
   */
  get canRun(): boolean {
    return this.#state === 'ready' && this.#served?.session.isReady === true;
  }

  get loans(): number {
    return this.#loans;
  }

  /** On the clock of `performance.now()`. */
  get lastUsedAtMs(): number {
    return this.#lastUsedAtMs;
  }

  /** Which raw planes are resized in the graph, and which are not and why; empty before any came. */
  get resizeNote(): string {
    return this.#served?.rawLanes.note ?? '';
  }

  /** What waits for it, in its lanes too; null unless it is loaded. */
  get queued(): RawLanes['queued'] | null {
    if (!this.#served) return null;
    const { batcher, rawLanes } = this.#served;
    const { frames, bytes } = rawLanes.queued;
    return { frames: batcher.queuedFrames + frames, bytes: batcher.queuedBytes + bytes };
  }

  /** Lends it. Throws `failure`, or `not_ready` unless it is ready. */
  lend(): Loan {
    if (this.#failure) throw this.#failure;
    if (this.#state !== 'ready' || !this.#served) {
      throw new DomainError('not_ready', `${this.#what} is ${this.#state}; try again`);
    }
    this.#loans += 1;
    this.#lastUsedAtMs = performance.now();
    let isOut = true;
    return {
      batcher: this.#served.batcher,
      rawLanes: this.#served.rawLanes,
      explainer: this.#explainer,
      device: this.#served.session.device,
      precision: this.#served.session.precision,
      release: () => {
        if (!isOut) return;
        isOut = false;
        this.#loans -= 1;
        if (this.#loans === 0) this.#whenReturned?.();
      },
    };
  }

  /** Lends no more, waits for the loans, frees the memory. */
  async retire(): Promise<void> {
    await this.ready.catch(() => {});
    if (this.#state === 'failed' || this.#state === 'draining' || this.#state === 'gone') return;
    this.#to('draining');
    if (this.#loans > 0) {
      await new Promise<void>((resolve) => {
        this.#whenReturned = resolve;
      });
    }
    await this.#explainer.close();
    await this.#served?.rawLanes.close();
    await this.#served?.batcher.close();
    await this.#served?.session.close();
    this.#served = null;
    this.#to('gone');
  }

  get #what(): string {
    return `${this.manifest.name}@${this.manifest.version}`;
  }

  #to(next: Exclude<ModelState, 'stored'>): void {
    if (!legal[this.#state].includes(next)) {
      throw new Error(`bug: ${this.#what} went from ${this.#state} to ${next}`);
    }
    this.#state = next;
  }

  async #load(): Promise<void> {
    const { engine, store, batcher, onDropped, onRan } = this.#collaborators;
    const { manifest } = this;
    const { channels, heightPx, widthPx } = manifest.inputSpec;
    let session: Session | null = null;
    try {
      const model = await store.readFile(manifest, 'model.onnx');
      const golden = await store.readFile(manifest, 'golden.bin');
      const inputShape = [channels.length, heightPx, widthPx] as const;
      const { name, version, labels, drift } = manifest;
      const hasDistance = drift !== null;
      const spec = { model, inputShape, name, version, hasDistance, labelCount: labels.length };
      const { inputSpec } = manifest;
      const chosen = await loadInPrecision({ spec, inputSpec, golden }, { engine });
      session = chosen.session;
      this.#to('warming');
      const row = goldenRow(golden, manifest, session);
      const warmRunMs = await warmSizes(session, batcher.batchSizes, row);
      const batchSizes = [...warmRunMs.keys()];
      session.onReload?.((run) => checkSizes(run, batchSizes, row));
      const { preparer, log } = this.#collaborators;
      const place = preparer ? (engine.resize ?? 'host') : 'host';
      this.#served = {
        session,
        precisionNote: chosen.precisionNote,
        rawLanes: createRawLanes(
          { place },
          {
            ...{ manifest, engine, batcher, spec, session, batchSizes, golden, log },
            ...(onDropped ? { onDropped } : {}),
            ...(onRan ? { onRan } : {}),
            preparer,
          },
        ),
        batcher: createBatcher(
          { ...batcher, batchSizes },
          {
            run: session.run.bind(session),
            lanes: session.lanes,
            warmRunMs,
            onDropped: (reason) => onDropped?.(manifest, reason),
            onRan: (batchSize, runMs) => onRan?.(manifest, batchSize, runMs),
          },
        ),
      };
      this.#to('ready');
    } catch (thrown) {
      const { code, message } = DomainError.from(thrown);
      // The code is kept: a disk or an engine that failed is no fault of the version.
      this.#failure = new DomainError(code, `${this.#what} is not served: ${message}`, {
        cause: thrown,
      });
      this.#to('failed');
      await session?.close().catch(() => {});
      throw this.#failure;
    }
  }
}

/** Each row of a batch of golden frames is held against the record. */
function goldenRow(
  golden: Uint8Array,
  { labels, goldenOutput }: Manifest,
  { precision }: Session,
): WarmRow {
  const tolerance = goldenToleranceIn(precision);
  return {
    row: golden,
    labelCount: labels.length,
    findFault({ probabilities }, batchSize) {
      const { index, difference } = largestDifference(probabilities, goldenOutput);
      if (difference <= tolerance) return null;
      return `its golden frame gave ${probabilities[index]} for ${labels[index]} in a batch of ${batchSize}, expected ${goldenOutput[index]} within ${tolerance}`;
    },
  };
}
