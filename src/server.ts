import type { Config } from './config.js';
import { DomainError } from './errors.js';
import type { Handle } from './models/index.js';
import type { RpcPort, Serving } from './rpc/index.js';
import { batcherOptions } from './server/batcher-options.js';
import { closeWithin, unhurriedMs } from './server/close-within.js';
import { createClosers } from './server/closers.js';
import { createCompare } from './server/compare.js';
import { createEvaluate, evaluateVersion } from './server/evaluate.js';
import { closingTimeMs } from './server/grace.js';
import { countIoProcesses } from './server/io/io-processes.js';
import { toModelAdmin } from './server/model-admin.js';
import { toObservations, watchModels } from './server/model-watch.js';
import { openParts, type Parts, type PartsOverrides } from './server/parts.js';
import { toRunAdmin } from './server/run-admin.js';
import { readTls } from './server/tls.js';
import { openHttpPort } from './telemetry/index.js';

export { relaxCollector } from './server/collector.js';
export { createCompare, evaluateVersion, openParts, type Parts, type PartsOverrides, toModelAdmin };

/** A server that answers. */
export interface RunningServer {
  /** gRPC. */
  readonly port: number;
  /** /metrics, /healthz, /readyz. */
  readonly httpPort: number;
  readonly parts: Parts;
  /**
   * Ends gracefully within `config.graceMs`: health NOT_SERVING, new calls refused, open ones
   * answered and a run stopped as long as there is time, then cut; then everything is closed,
   * and what hangs is abandoned: see `closeWithin`. Idempotent.
   */
  drain(): Promise<void>;
  /** Cuts open calls at once, then closes everything without haste. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts a server: 1. TLS files, parts and the HTTP port  2. live models loaded, warmed and
 * checked  3. the gRPC port  4. health SERVING. What was opened is closed again when a step fails.
 *
 * Throws `option_invalid` naming a port in use, `storage_failed` for a models folder that
 * cannot be written, `cancelled` once `signal` is aborted before it serves: models that are being
 * loaded have `config.graceMs` to end, and are abandoned then. A model that fails to load does not stop the start: it is logged,
 * listed as failed, and health tells where no live one is left.
 */
export async function startServer(
  config: Config,
  overrides: PartsOverrides = {},
  signal?: AbortSignal,
): Promise<RunningServer> {
  const closers = createClosers();
  let opened: Parts | null = null;
  try {
    const tls = await readTls(config);
    const parts = await openParts(config, overrides);
    opened = parts;
    closers.add(parts.close);
    const { registry, classifier, trainer, metrics, log } = parts;

    let notReadyBecause: () => string | null = () => 'the models are being loaded';
    let others: () => Promise<readonly (readonly object[])[]> = async () => [];
    const http = await openHttpPort(
      { host: config.httpHost, port: config.httpPort },
      {
        metrics: { expose: async () => metrics.expose(await others()) },
        notReadyBecause: () => notReadyBecause(),
      },
    );
    closers.add(http.close);

    await unlessAborted(registry.start(), signal);
    metrics.readModelsFrom(() => toObservations(registry));
    let tellHealth: (serving: Serving) => void = () => {};
    const models = watchModels({ registry, log }, (serving) => tellHealth(serving));
    closers.add(models.close);

    const collaborators = {
      lender: registry,
      classifier,
      pixelClassifier: classifier,
      models: toModelAdmin(parts, models.refresh),
      runs: toRunAdmin(config, { trainer, metrics, log }),
      evaluate: createEvaluate(config, { registry, classifier, store: parts.store }),
      compare: createCompare(config, { registry, classifier, store: parts.store }),
      metrics,
      log,
    };
    const ioProcesses = countIoProcesses(config.ioProcesses);
    const openPort = async (): Promise<RpcPort> => {
      // Loaded here: a command that works in place takes no calls, and somebody waits for it.
      if (ioProcesses === 1) {
        const { openRpcPort } = await import('./rpc/index.js');
        return openRpcPort<Handle>({ ...config, tls }, collaborators);
      }
      const { openSharedPort } = await import('./server/io/shared-port.js');
      // They see neither the device nor its batches, and are to form the same.
      const { batchSizes } = batcherOptions(config, parts.engine).batcher;
      const ofThem = { ...config, batchSizes: [...batchSizes] };
      const shared = await openSharedPort(
        { count: ioProcesses, config: ofThem, serving: models.serving },
        collaborators,
      );
      others = shared.snapshots;
      return shared;
    };
    const rpc = await openPort();
    tellHealth = rpc.setServing;
    rpc.setServing(models.serving);
    notReadyBecause = () => {
      if (rpc.isDraining) return 'the server is shutting down';
      return models.serving.server ? null : 'no live model is ready';
    };
    log.info({ port: rpc.port, httpPort: http.port, tls: tls !== null }, 'the server is up');

    const end = async (graceMs: number) => {
      const startedAtMs = performance.now();
      const isFirst = !rpc.isDraining;
      const forCallsMs = graceMs - closingTimeMs(graceMs);
      if (isFirst) log.info({ calls: rpc.openCalls }, 'the server is shutting down');
      // A run takes its own time to stop; what comes of it is told when the parts are closed.
      const stopped = trainer.close(graceMs === 0 ? undefined : forCallsMs).catch(() => {});
      await rpc.drain(forCallsMs);
      const leftMs = graceMs === 0 ? unhurriedMs : startedAtMs + graceMs - performance.now();
      await closeWithin(leftMs, {
        close: () => stopped.then(closers.close),
        engine: parts.engine,
        log,
      });
      const ms = Math.round(performance.now() - startedAtMs);
      if (isFirst) log.info({ ms }, 'the server has shut down');
    };
    return {
      port: rpc.port,
      httpPort: http.port,
      parts,
      drain: () => end(config.graceMs),
      close: () => end(0),
    };
  } catch (error) {
    const { close } = closers;
    const closing = opened ? closeWithin(config.graceMs, { ...opened, close }) : close();
    await closing.catch(() => {}); // the first failure is the one to tell
    throw error;
  }
}

/** What a promise gives; rejects with `cancelled` once the signal is aborted. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  promise.catch(() => {}); // told to whoever still waits
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(DomainError.from(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
  return Promise.race([promise, aborted]).finally(() =>
    signal.removeEventListener('abort', onAbort),
  );
}
