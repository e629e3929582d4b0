// The server side of bench/transport.ts: the whole gRPC edge over a classifier that answers
// at once. Tells its port, and its CPU time when asked, to the process that started it.

import { silentLog } from '../src/log.js';
import { openRpcPort } from '../src/rpc/index.js';
import { relaxCollector } from '../src/server/collector.js';
import { createMetrics } from '../src/telemetry/index.js';

relaxCollector();
const labels = Array.from({ length: 28 }, (_, index) => `label ${index}`);
const manifest = {
  name: 'cells',
  version: 1,
  labels,
  thresholds: labels.map(() => 0.5),
  inputSpec: {
    channels: ['microtubules', 'protein', 'nucleus', 'endoplasmic_reticulum'],
    widthPx: 128,
    heightPx: 128,
    resize: 'bilinear' as const,
  },
};
const refuse = async (): Promise<never> => {
  throw new Error('not part of this benchmark');
};
const probabilities = new Float32Array(28).fill(0.25);

const rpc = await openRpcPort(
  {
    host: '127.0.0.1',
    port: 0,
    tls: null,
    maxMessageBytes: 64 * 1024 * 1024,
    windowBytes: 1024 * 1024,
    maxConcurrentStreams: 1000,
    keepaliveMs: 20_000,
    keepaliveTimeoutMs: 20_000,
    maxCalls: 1000,
    maxInFlight: 64,
    maxQueuedFrames: 1024,
    maxStreamBytes: 128 * 1024 * 1024,
    maxReceivedBytes: 512 * 1024 * 1024,
    maxStreamFrames: 512,
  },
  {
    lender: {
      acquire: async () => ({ manifest, device: 'none', precision: 'full', release() {} }),
    },
    classifier: {
      classify: async (frame) => ({
        frameId: frame.id,
        probabilities,
        labelIndices: [3, 7],
        version: 1,
        batchSize: 1,
        qualityFlags: [],
        timings: { prepareMs: 0, queueMs: 0, runMs: 0 },
      }),
    },
    pixelClassifier: { classifyPixels: refuse },
    models: {
      list: refuse,
      describe: refuse,
      promote: refuse,
      rollback: refuse,
      import: refuse,
    },
    runs: {
      start: refuse,
      resume: refuse,
      watch: () => {
        throw new Error('not part of this benchmark');
      },
      stop: refuse,
      get: refuse,
      list: refuse,
    },
    evaluate: refuse,
    compare: refuse,
    metrics: createMetrics(),
    log: silentLog,
  },
);
console.log(rpc.port);
