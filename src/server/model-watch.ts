import type { Log } from '../log.js';
import type { LoadedView, Registry } from '../models/index.js';
import type { Serving } from '../rpc/index.js';
import type { ModelObservation } from '../telemetry/index.js';

/** Tells health of every change of what can be served. */
export interface ModelWatch {
  /** Looks now. */
  refresh(): void;
  readonly serving: Serving;
  close(): void;
}

/** Versions change state by themselves: health is never older than this. */
const intervalMs = 250;

/**
 * Looks at the versions in memory, a few times a second and without touching the disk.
 *
 * The classifier serves when a live version is ready and its engine runs. The whole server serves also
 * without any model, because one can be imported or trained then; but not while there
 * are live versions and none of them is ready.
 */
export function watchModels(
  { registry, log }: { readonly registry: Pick<Registry, 'loaded' | 'missing'>; readonly log: Log },
  onChange: (serving: Serving) => void,
): ModelWatch {
  let told: Serving | null = null;
  const look = () => toServing(registry.loaded(), registry.missing());
  const refresh = () => {
    const now = look();
    if (told?.server === now.server && told.classifier === now.classifier) return;
    told = now;
    log.info({ ...now }, now.classifier ? 'a live model is ready' : 'no live model is ready');
    onChange(now);
  };
  refresh();
  const timer = setInterval(refresh, intervalMs);
  return {
    refresh,
    get serving() {
      return look();
    },
    close: () => clearInterval(timer),
  };
}

/** What health is told of these versions, and of those that should be live and cannot be read. */
export function toServing(
  versions: readonly Pick<LoadedView, 'isLive' | 'canRun'>[],
  missing: readonly unknown[],
): Serving {
  const live = versions.filter(({ isLive }) => isLive);
  const classifier = live.some(({ canRun }) => canRun);
  return { classifier, server: classifier || live.length + missing.length === 0 };
}

/** What the metrics are told of the versions in memory, and of those that should be live and are not. */
export const toObservations = (
  registry: Pick<Registry, 'loaded' | 'missing'>,
): readonly ModelObservation[] => [
  ...registry.loaded().map(toObservation),
  ...registry.missing().map(({ name: model, version }) => ({
    ...{ model, version, state: 'missing', device: '', precision: '', live: true },
    ...{ queuedFrames: null, queuedBytes: null },
  })),
];

function toObservation(view: LoadedView): ModelObservation {
  const { manifest, isLive, state, device, precision, queuedFrames, queuedBytes } = view;
  const { name: model, version } = manifest;
  const labels = { model, version, state, device, precision: precision ?? '' };
  return { ...labels, live: isLive, queuedFrames, queuedBytes };
}
