import { type Classifier, createClassifier } from '../classify/index.js';
import type { Config } from '../config.js';
import type { Engine } from '../engines/index.js';
import { createPreparer, type Preparer } from '../frames/index.js';
import type { Log } from '../log.js';
import { createRegistry, type ModelStore, openModelStore, type Registry } from '../models/index.js';
import { createLog, createMetrics, type Metrics } from '../telemetry/index.js';
import { createTrainer, type Trainer } from '../training/index.js';
import { batcherOptions } from './batcher-options.js';
import { createClosers } from './closers.js';
import { createCompare } from './compare.js';
import { findTrainingDevices, openEngine } from './open-engine.js';
import { createPromotion, type PromoteThroughGates } from './promotion.js';
import { createServingWatch } from './serving-watch.js';

/** Everything a server is made of, without its ports: also what the command line uses in place. */
export interface Parts {
  readonly store: ModelStore;
  readonly registry: Registry;
  readonly engine: Engine;
  readonly preparer: Preparer;
  readonly classifier: Classifier;
  readonly trainer: Trainer;
  /** Makes a version live, if the gates let it through. */
  readonly promote: PromoteThroughGates;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Closes them in the opposite order; frames that wait are answered first. Idempotent. */
  close(): Promise<void>;
}

/** Parts that a caller brings itself. */
export interface PartsOverrides {
  /** @default ONNX Runtime in worker threads, as `openEngine` makes it */
  readonly engine?: Engine;
  /** @default lines on standard error */
  readonly log?: Log;
  /** Folder of runs whose prepared frames trainings use. @default that of the runs */
  readonly framesOf?: string;
}

/**
 * Builds the parts and hands them to each other. Loads no model yet: `registry.start()`
 * does, or the first `registry.acquire`.
 *
 * Throws `storage_failed` when the models folder cannot be made or written.
 */
export async function openParts(config: Config, overrides: PartsOverrides = {}): Promise<Parts> {
  const closers = createClosers();
  try {
    const log = overrides.log ?? createLog({ level: config.logLevel });
    const metrics = createMetrics();
    const trainingDevices = await findTrainingDevices(config.trainingDevice, log);
    const store = await openModelStore(config.modelsDir);
    const engine = overrides.engine ?? (await openEngine(config, log));
    closers.add(() => engine.close());
    const preparer = createPreparer({ threads: config.prepareThreads });
    closers.add(() => preparer.close());
    const serving = createServingWatch();
    const registry = createRegistry(batcherOptions(config, engine), {
      engine,
      store,
      log,
      preparer,
      onRan: (_manifest, batchSize, runMs) => metrics.engineRan(batchSize, runMs / 1000),
    });
    closers.add(() => registry.close());
    const classifier = serving.hear(createClassifier({ preparer }));
    const promote = createPromotion(config, {
      ...{ registry, store },
      // Its paths are resolved before, the operator's own not by the data roots.
      compare: createCompare({ dataRoots: null }, { registry, classifier, store }),
    });
    const trainer = createTrainer(
      {
        runsDir: config.runsDir,
        devices: trainingDevices,
        stepsPerCall: config.trainingStepsPerCall,
        tensorflowPackage: config.tensorflowPackage || null,
        threads: config.trainingThreads,
        share: config.trainingShare,
        framesOf: overrides.framesOf ?? config.runsDir,
        frameCacheBytes: config.frameCacheBytes,
      },
      { store, log, serving, promote },
    );
    closers.add(() => trainer.close());
    return {
      store,
      registry,
      engine,
      preparer,
      classifier,
      trainer,
      promote,
      metrics,
      log,
      close: closers.close,
    };
  } catch (error) {
    await closers.close().catch(() => {}); // the first failure is the one to tell
    throw error;
  }
}
