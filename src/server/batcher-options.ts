import type { Config } from '../config.js';
import type { RegistryOptions } from '../models/index.js';

/** What a Config says of the batches of each version. */
export function batcherOptions(config: Config): Pick<RegistryOptions, 'batcher' | 'delaysMs'> {
  const { batchSizes, maxQueuedFrames, maxQueuedBytes, maxStreamFrames, maxStreamBytes } = config;
  return {
    batcher: {
      ...{ batchSizes, maxQueuedFrames, maxQueuedBytes, maxStreamFrames, maxStreamBytes },
      maxDelayMs: config.maxBatchDelayMs,
    },
    delaysMs: config.modelBatchDelaysMs,
  };
}
