import { createClassifier } from '../../classify/index.js';
import { openRemoteEngine } from '../../engines/index.js';
import { createPreparer } from '../../frames/index.js';
import { createRegistry, type Handle, openModelStore } from '../../models/index.js';
import { openRpcPort, type Serving } from '../../rpc/index.js';
import { createLog, createMetrics, type Metrics } from '../../telemetry/index.js';
import { batcherOptions } from '../batcher-options.js';
import { createClosers } from '../closers.js';
import { closingTimeMs } from '../grace.js';
import { toModelAdmin } from '../model-admin.js';
import { watchModels } from '../model-watch.js';
import { explainingHere } from '../open-engine.js';
import { readTls } from '../tls.js';
import type { IoOptions } from './messages.js';

/** An I/O process that answers. */
export interface Io {
  readonly port: number;
  readonly metrics: Metrics;
  /**
   * What health is told in the process with the engine: here it is told no more than that.
   * Nothing serves until it is called.
   */
  setServing(serving: Serving): void;
  drain(graceMs: number): Promise<void>;
}

/** Batches on their way to the engine's process at once. */
const lanes = 8;
/** A promotion there is followed here within this time. */
const pollMs = 200;

/**
 * Opens the gRPC port of one I/O process: frames are received, prepared and gathered here,
 * and run in the process at `target`; calls about models and runs are handed on to it.
 *
 * Throws as `startServer` does.
 */
export async function openIo({ config, target }: IoOptions): Promise<Io> {
  const closers = createClosers();
  try {
    const log = createLog({ level: config.logLevel }).child({ io: process.pid });
    const metrics = createMetrics();
    const store = await openModelStore(config.modelsDir);
    const remote = await openRemoteEngine(
      {
        remote: target,
        lanes,
        asksForVersions: true,
        tellsWishes: true,
        // Over there it may wait for one that hangs, and then hang itself.
        runTimeoutMs: 2 * config.engineTimeoutMs,
      },
      { log },
    );
    const engine = explainingHere(remote, log);
    closers.add(() => engine.close());
    const preparer = createPreparer({ threads: config.prepareThreads });
    closers.add(() => preparer.close());
    const registry = createRegistry(
      { ...batcherOptions(config, engine), pollMs },
      { engine, store, log },
    );
    closers.add(() => registry.close());
    const classifier = createClassifier({ preparer });
    // Promotions are handed on: nothing asks for them here.
    const parts = {
      registry,
      promote: (name: string, version: number) => registry.promote(name, version),
    };
    await registry.start();
    let there: Serving = { server: false, classifier: false };
    let tellHealth = () => {};
    const models = watchModels({ registry, log }, () => tellHealth());
    closers.add(models.close);
    const rpc = await openRpcPort<Handle>(
      { ...config, tls: await readTls(config) },
      {
        lender: registry,
        classifier,
        pixelClassifier: classifier,
        models: toModelAdmin(parts, models.refresh),
        forwardTo: target,
        metrics,
        log,
      },
    );
    tellHealth = () => {
      const { server, classifier } = models.serving;
      rpc.setServing({
        server: server && there.server,
        classifier: classifier && there.classifier,
      });
    };
    return {
      port: rpc.port,
      metrics,
      setServing(serving) {
        there = serving;
        tellHealth();
      },
      async drain(graceMs) {
        await rpc.drain(graceMs - closingTimeMs(graceMs));
        await closers.close();
      },
    };
  } catch (error) {
    await closers.close().catch(() => {}); // the first failure is the one to tell
    throw error;
  }
}
