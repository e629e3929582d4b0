import type { Registry, StoredModel } from '../models/index.js';
import type { Serving } from '../rpc/index.js';
import type { Log, ModelObservation } from '../telemetry/index.js';

/** The newest known state of all versions: for health, readiness and the metrics. */
export interface ModelWatch {
  /** Looks again now. */
  refresh(): Promise<void>;
  readonly serving: Serving;
  /** Why the server should get no calls, or null. */
  readonly notReadyBecause: string | null;
  readonly observations: readonly ModelObservation[];
  close(): void;
}

/** Another process may promote on disk: what is known is never older than this. */
const intervalMs = 1000;

/**
 * Looks at the registry every second.
 *
 * The classifier serves when a live version is ready. The whole server serves also
 * without any model, because a model can be imported or trained then; but not while
 * there are live versions and none of them is ready.
 */
export async function watchModels(
  { registry, log }: { readonly registry: Registry; readonly log: Log },
  onChange: (serving: Serving) => void,
): Promise<ModelWatch> {
  let models: readonly StoredModel[] = [];
  let told = '';
  const serving = (): Serving => {
    const live = models.filter(({ aliases }) => aliases.includes('live'));
    const classifier = live.some(({ state }) => state === 'ready');
    return { classifier, server: classifier || live.length === 0 };
  };
  const refresh = async () => {
    models = await registry.list();
    const now = serving();
    const key = JSON.stringify(now);
    if (key === told) return;
    told = key;
    log.info({ ...now }, now.classifier ? 'a model is ready' : 'no model is ready');
    onChange(now);
  };
  await refresh();
  const timer = setInterval(() => {
    refresh().catch((error) => log.error({ error }, 'the models cannot be listed'));
  }, intervalMs);
  return {
    refresh,
    get serving() {
      return serving();
    },
    get notReadyBecause() {
      return serving().server ? null : 'no live model is ready';
    },
    get observations() {
      return models.map(observe);
    },
    close: () => clearInterval(timer),
  };
}

function observe({ manifest, state, device, aliases }: StoredModel): ModelObservation {
  const { name: model, version } = manifest;
  const live = aliases.includes('live');
  return { model, version, state, device, live, queuedFrames: null, queuedBytes: null };
}
