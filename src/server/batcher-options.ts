import { defaultBatcherOptions } from '../batching/index.js';
import type { Config } from '../config.js';
import type { Engine } from '../engines/index.js';
import type { RegistryOptions } from '../models/index.js';

/** What a Config says of the batches of each version, and the engine where it says nothing. */
export function batcherOptions(
  config: Config,
  engine: Pick<Engine, 'batchSizes'>,
): Pick<RegistryOptions, 'delaysMs'> & {
  readonly batcher: RegistryOptions['batcher'] & { readonly batchSizes: readonly number[] };
} {
  const asked = config.batchSizes;
  const batchSizes =
    asked.length > 0 ? asked : (engine.batchSizes ?? defaultBatcherOptions.batchSizes);
  const { maxQueuedFrames, maxQueuedBytes, maxStreamFrames, maxStreamBytes } = config;
  return {
    batcher: {
      ...{ batchSizes, maxQueuedFrames, maxQueuedBytes, maxStreamFrames, maxStreamBytes },
      maxDelayMs: config.maxBatchDelayMs,
    },
    delaysMs: config.modelBatchDelaysMs,
  };
}
