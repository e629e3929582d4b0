import type { ExecutionContext } from 'ava';
import type { Prediction } from '../../src/classify/index.js';
import { type Client, connect } from '../../src/client/index.js';
import { DomainError } from '../../src/errors.js';
import type { Frame, InputSpec } from '../../src/frames/index.js';
import { silentLog } from '../../src/log.js';
import type {
  ClassifierLike,
  HandleLike,
  LenderLike,
  ModelAdmin,
  RpcPort,
  RpcPortCollaborators,
  RpcPortOptions,
  RunAdmin,
} from '../../src/rpc/index.js';
import { openRpcPort } from '../../src/rpc/index.js';
import { createMetrics, type Metrics } from '../../src/telemetry/index.js';

export const inputSpec: InputSpec = {
  channels: ['microtubules', 'protein', 'nucleus', 'endoplasmic_reticulum'],
  widthPx: 4,
  heightPx: 4,
  resize: 'bilinear',
};

const labels = Array.from({ length: 28 }, (_, index) => `label ${index}`);

/** Frames of 4 x 4 pixels whose every pixel is `value`. */
export function tinyFrame(id: string, value = 0): Frame {
  return {
    id,
    widthPx: 4,
    heightPx: 4,
    pixelType: 'uint8',
    significantBits: 0,
    encoding: 'raw',
    planes: inputSpec.channels.map((channel) => ({
      channel,
      bytes: new Uint8Array(16).fill(value),
    })),
  };
}

/** A lender of one model, "cells"; counts its loans. */
export function createTestLender({ widthPx = 4, heightPx = 4 } = {}) {
  let version = 1;
  let lent = 0;
  const lender: LenderLike = {
    async acquire(ref) {
      if (ref !== '' && ref !== 'cells') {
        throw new DomainError('model_unknown', `no model "${ref}"`);
      }
      lent += 1;
      let isReleased = false;
      const handle: HandleLike = {
        manifest: {
          name: 'cells',
          version,
          labels,
          thresholds: labels.map(() => 0.5),
          inputSpec: { ...inputSpec, widthPx, heightPx },
        },
        device: 'test/cpu',
        precision: 'full',
        release() {
          if (isReleased) throw new Error('bug: a handle was released twice');
          isReleased = true;
          lent -= 1;
        },
      };
      return handle;
    },
  };
  return {
    lender,
    promote(next: number) {
      version = next;
    },
    /** Handles that are out. */
    get lent() {
      return lent;
    },
  };
}

/** What a frame of `tinyFrame(id, value)` is answered: its value in every probability. */
export function predictionOf(frame: Frame, version: number): Prediction {
  const value = (frame.planes[0]?.bytes[0] ?? 0) / 255;
  return {
    frameId: frame.id,
    probabilities: new Float32Array(28).fill(value),
    labelIndices: value >= 0.5 ? labels.map((_, index) => index) : [],
    version,
    batchSize: 1,
    qualityFlags: [],
    timings: { prepareMs: 1, queueMs: 2, runMs: 3 },
  };
}

type ClassifyCall = {
  readonly frame: Frame;
  readonly options: Parameters<ClassifierLike['classify']>[2];
  answer(): void;
  fail(error: unknown): void;
  isSettled: boolean;
};

/** A classifier whose every answer the test gives; honours the signal as the real one does. */
export function createPuppetClassifier() {
  const calls: ClassifyCall[] = [];
  const waiters: { count: number; resolve: () => void }[] = [];
  const classifier: ClassifierLike = {
    classify: (frame, handle, options) =>
      new Promise<Prediction>((resolve, reject) => {
        const call: ClassifyCall = {
          frame,
          options,
          isSettled: false,
          answer() {
            call.isSettled = true;
            resolve(predictionOf(frame, handle.manifest.version));
          },
          fail(error) {
            call.isSettled = true;
            reject(error);
          },
        };
        options.signal?.addEventListener('abort', () => call.fail(options.signal?.reason));
        calls.push(call);
        for (const waiter of waiters) if (calls.length >= waiter.count) waiter.resolve();
      }),
  };
  return {
    classifier,
    calls,
    /** Resolves when so many frames have come in all. */
    came: (count: number) =>
      new Promise<void>((resolve) => {
        if (calls.length >= count) resolve();
        else waiters.push({ count, resolve });
      }),
  };
}

/** Answers at once. */
export const promptClassifier: ClassifierLike = {
  classify: async (frame, handle) => predictionOf(frame, handle.manifest.version),
};

const unused = async (): Promise<never> => {
  throw new Error('the test did not expect this call');
};
const noModels: ModelAdmin = {
  list: unused,
  describe: unused,
  promote: unused,
  rollback: unused,
  import: unused,
};
const noRuns: RunAdmin = {
  start: unused,
  resume: unused,
  watch: () => {
    throw new Error('the test did not expect this call');
  },
  stop: unused,
  get: unused,
  list: unused,
};

export interface TestPort {
  readonly rpc: RpcPort;
  readonly address: string;
  readonly client: Client;
  readonly metrics: Metrics;
}

/** A real port on 127.0.0.1:0 that is drained when the test ends. */
export async function openTestPort(
  t: ExecutionContext,
  collaborators: Partial<RpcPortCollaborators<HandleLike>> = {},
  options: Partial<RpcPortOptions> = {},
): Promise<TestPort> {
  const metrics = createMetrics();
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
      maxStreamFrames: 512,
      maxQueuedFrames: 1024,
      maxStreamBytes: 128 * 1024 * 1024,
      maxReceivedBytes: 512 * 1024 * 1024,
      ...options,
    },
    {
      lender: createTestLender().lender,
      classifier: promptClassifier,
      pixelClassifier: { classifyPixels: unused },
      models: noModels,
      runs: noRuns,
      evaluate: unused,
      compare: unused,
      metrics,
      log: silentLog,
      ...collaborators,
    },
  );
  const address = `127.0.0.1:${rpc.port}`;
  const client = connect(address);
  t.teardown(async () => {
    client.close();
    await rpc.drain(0);
  });
  return { rpc, address, client, metrics };
}

/** A source of frames that the test feeds. */
export function createFeed<T>() {
  const items: T[] = [];
  let isEnded = false;
  let wake: () => void = () => {};
  return {
    push(...more: T[]) {
      items.push(...more);
      wake();
    },
    end() {
      isEnded = true;
      wake();
    },
    async *[Symbol.asyncIterator](): AsyncGenerator<T> {
      for (;;) {
        const item = items.shift();
        if (item !== undefined) yield item;
        else if (isEnded) return;
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    },
  };
}

/** Everything that an iterable gives. */
export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}

/** The value of one sample in Prometheus text, summed over its other labels. */
export async function sample(metrics: Metrics, name: string, filter = ''): Promise<number> {
  const { text } = await metrics.expose();
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) && line.includes(filter))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
