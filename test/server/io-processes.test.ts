import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect as connectSocket, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test, { type ExecutionContext } from 'ava';
import { type Client, connect } from '../../src/client/index.js';
import type { Config } from '../../src/config.js';
import { createFakeEngine, type Engine } from '../../src/engines/index.js';
import { DomainError } from '../../src/errors.js';
import { silentLog } from '../../src/log.js';
import {
  createRegistry,
  type Handle,
  openModelStore,
  type Registry,
} from '../../src/models/index.js';
import { packageRoot } from '../../src/package-root.js';
import type { PixelClassifierLike, StreamOptions } from '../../src/rpc/index.js';
import { countIoProcesses } from '../../src/server/io/io-processes.js';
import { openIo } from '../../src/server/io/open-io.js';
import { toModelAdmin } from '../../src/server/model-admin.js';
import { tinyProbabilities } from '../engines/tiny-models.js';
import { makeFolder } from '../make-folder.js';
import { draftOf } from '../models/model-fixtures.js';
import { openTestPort } from '../rpc/fakes.js';
import { healthClient } from '../rpc/health-client.js';
import { smallFrame } from '../small-frames.js';
import { fakeDraft, smallConfig, startSmallServer } from '../small-server.js';

const main = join(packageRoot, 'dist/src/main.js');

/** `serve` with two processes on one port, the tiny model live, and its log line by line. */
async function startShared(t: ExecutionContext, more: Readonly<Record<string, number>> = {}) {
  const folder = await makeFolder(t);
  const store = await openModelStore(join(folder, 'models'));
  await store.publish(draftOf());
  await store.publish(draftOf('cells', { bias: 1 }));
  await store.setAlias('cells', 'live', 1);
  const options = { models: join(folder, 'models'), runs: join(folder, 'runs') };
  const args = Object.entries({
    ...options,
    host: '127.0.0.1',
    port: 0,
    'http-port': 0,
    'io-processes': 2,
    'engine-workers': 1,
    'prepare-threads': 1,
    'batch-sizes': '1,4',
    ...more,
  }).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child: ChildProcess = spawn(process.execPath, [main, 'serve', '--json', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const lines: { readonly msg?: string; readonly pid?: number }[] = [];
  const heard = new Set<() => void>();
  createInterface({ input: child.stderr! }).on('line', (line) => {
    if (!line.startsWith('{')) return;
    lines.push(JSON.parse(line));
    for (const look of [...heard]) look();
  });
  /** Resolves when as many lines with this message have come. */
  const until = (message: string, count: number) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (lines.filter(({ msg }) => msg === message).length < count) return;
        heard.delete(look);
        resolve();
      };
      heard.add(look);
      look();
    });
  const [first] = await once(createInterface({ input: child.stdout! }), 'line');
  const { port, httpPort } = JSON.parse(first as string) as { port: number; httpPort: number };
  await until('an I/O process serves', 2);
  const pids = () =>
    lines.flatMap(({ msg, pid }) => (msg === 'an I/O process serves' && pid ? [pid] : []));
  const open = (): Client => {
    // A channel of its own: grpc-js shares connections between equal ones.
    const client = connect(`127.0.0.1:${port}`, { maxMessageBytes: 1024 * 1024 + opened });
    opened += 1;
    t.teardown(() => client.close());
    return client;
  };
  let opened = 0;
  const metrics = async () => (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text();
  return { child, open, pids, until, metrics };
}

const frameOf = (number: number) => smallFrame(`${number}`, number);
const expectedOf = (number: number, bias = 0) =>
  tinyProbabilities(Buffer.concat(frameOf(number).planes.map(({ bytes }) => bytes)), { bias });

/** Streams frames with these numbers and checks each answer. */
async function stream(t: ExecutionContext, client: Client, numbers: readonly number[], bias = 0) {
  let answered = 0;
  for await (const reply of client.classify({ model: 'cells' }, numbers.map(frameOf))) {
    if (reply.kind === 'model') continue;
    const { frameId, outcome, message, probabilities } = reply.prediction;
    t.is(outcome, 'ok', message);
    const expected = expectedOf(Number(frameId), bias);
    t.true([...probabilities].every((value, at) => Math.abs(value - (expected[at] ?? 0)) < 1e-6));
    answered += 1;
  }
  t.is(answered, numbers.length);
}

const range = (from: number, count: number) => Array.from({ length: count }, (_, at) => from + at);

test('one event loop feeds a dozen cores, unless it is set otherwise', (t) => {
  t.deepEqual(
    [1, 2, 16, 24, 64].map((cores) => countIoProcesses(0, cores)),
    [1, 1, 1, 2, 4],
  );
  t.is(countIoProcesses(3, 2), 3);
});

test.serial('several processes share the port, the models and the account of frames', async (t) => {
  const { open, pids, metrics } = await startShared(t);
  t.is(new Set(pids()).size, 2);
  const clients = range(0, 4).map(open);
  await Promise.all(clients.map((client, at) => stream(t, client, range(at * 100, 50))));
  const text = await metrics();
  t.regex(text, /^cytostream_frames_total\{model="cells",version="1",outcome="ok"\} 200$/m);
  t.regex(text, /^cytostream_engine_rows_total 200$|^cytostream_engine_rows_total [2-9]\d\d$/m);
  t.regex(text, /^cytostream_model_info\{.*version="1",state="ready".*\} 1$/m);

  // A promotion through one process is followed by all.
  const [one, other] = clients as [Client, Client, ...Client[]];
  t.is((await one.promote('cells', 2)).version, 2);
  for (const client of [one, other]) {
    for (;;) {
      const { prediction } = await client.classifyFrame(frameOf(7));
      if (prediction.version === 2) break;
    }
    await stream(t, client, range(0, 20), 1);
  }
  // What was asked about models and runs came from the one process that holds them.
  t.deepEqual(
    (await other.listModels()).map(({ version, aliases }) => [version, ...aliases]),
    [
      [1, 'previous'],
      [2, 'live'],
    ],
  );
  await t.throwsAsync(other.getRun('none'), { code: 'run_unknown' });
  const train = one.train({ dataPath: '/elsewhere', model: 'cells' })[Symbol.asyncIterator]();
  await t.throwsAsync(train.next(), { code: 'option_invalid', message: /data roots/ });
});

/** The process with the engine, as far as batches go: "cells" is live. */
async function startRegistry(t: ExecutionContext, { modelsDir }: Config): Promise<Registry> {
  const store = await openModelStore(modelsDir);
  await store.publish(fakeDraft('cells'));
  await store.setAlias('cells', 'live', 1);
  const collaborators = { engine: createFakeEngine(), store, log: silentLog };
  const registry = createRegistry({ batcher: { batchSizes: [1, 4] } }, collaborators);
  t.teardown(() => registry.close());
  await registry.start();
  return registry;
}

test('an I/O process says how soon its batches are wanted; one refused as late has expired', async (t) => {
  const longestMs = 30_000;
  const config = smallConfig(await makeFolder(t), {
    engineTimeoutMs: longestMs,
    logLevel: 'silent',
  });
  const registry = await startRegistry(t, config);
  const ways: Parameters<PixelClassifierLike['classifyPixels']>[2][] = [];
  let isLate = false;
  const inner = await openTestPort(t, {
    lender: registry,
    models: toModelAdmin(
      { registry, promote: (name, version) => registry.promote(name, version) },
      () => {},
    ),
    pixelClassifier: {
      async classifyPixels(pixels, handle, way) {
        ways.push(way);
        if (isLate) throw new DomainError('deadline', 'the deadline cannot be met');
        return (handle as Handle).batcher.submit(pixels, way); // from the registry above
      },
    },
  });
  const io = await openIo({ config, target: inner.address });
  const client = connect(`127.0.0.1:${io.port}`);
  t.teardown(async () => {
    client.close();
    await io.drain(0);
  });

  const wayOf = async (options: Partial<StreamOptions>) => {
    ways.length = 0;
    const frames = [smallFrame('a', 1)];
    const outcomes: string[] = [];
    for await (const reply of client.classify({ model: 'cells', ...options }, frames)) {
      if (reply.kind === 'prediction') outcomes.push(reply.prediction.outcome);
    }
    const [way] = ways;
    return { outcomes, priority: way?.priority, deadlineAtMs: way?.deadlineAtMs ?? 0 };
  };
  for (const priority of ['high', 'normal', 'low'] as const) {
    const fromMs = performance.now();
    const way = await wayOf({ priority });
    t.like(way, { outcomes: ['ok'], priority });
    t.true(way.deadlineAtMs >= fromMs + longestMs, 'what a batch may take at all');
  }
  const ownMs = 20_000;
  const fromMs = performance.now();
  const { outcomes, deadlineAtMs } = await wayOf({ defaultDeadlineMs: ownMs });
  t.deepEqual(outcomes, ['ok']);
  // Microseconds of what is left are told, and received a moment later.
  t.true(deadlineAtMs >= fromMs + ownMs - 1 && deadlineAtMs < performance.now() + ownMs + 1);
  isLate = true;
  t.deepEqual((await wayOf({ defaultDeadlineMs: ownMs })).outcomes, ['expired']);
  t.is(ways.length, 1, 'it is not tried again');
});

test.serial(
  'a frame that takes the engine down with it is run twice, as in one process',
  async (t) => {
    const pixels = Buffer.concat(frameOf(7).planes.map(({ bytes }) => bytes));
    let runs = 0;
    let isCured = false;
    const fake = createFakeEngine();
    const engine: Engine = {
      ...fake,
      async load(spec) {
        const session = await fake.load(spec);
        return {
          ...session,
          async run(input, batchSize) {
            if (!Buffer.from(input).includes(pixels)) return session.run(input, batchSize);
            runs += 1;
            if (!isCured) throw new DomainError('not_ready', 'the engine worker ended');
            return session.run(input, batchSize);
          },
        };
      },
    };
    const { address } = await startSmallServer(t, { engine, config: { ioProcesses: 2 } });
    const client = connect(address);
    t.teardown(() => client.close());
    await t.throwsAsync(client.classifyFrame(frameOf(7)), { code: 'not_ready' });
    t.is(runs, 2);
    isCured = true;
    t.is((await client.classifyFrame(frameOf(7))).prediction.outcome, 'ok');
    t.is(runs, 3);
  },
);

test.serial(
  'health is the same in every process, also while the engine starts again',
  async (t) => {
    let isReady = true;
    const fake = createFakeEngine();
    const engine: Engine = {
      ...fake,
      load: async (spec) =>
        Object.defineProperty(await fake.load(spec), 'isReady', { get: () => isReady }),
    };
    const { address, server } = await startSmallServer(t, {
      engine,
      config: { ioProcesses: 2, logLevel: 'silent' },
    });
    const readyz = async () => (await fetch(`http://127.0.0.1:${server.httpPort}/readyz`)).ok;
    for (const service of ['', 'cytostream.v1.ClassifierService']) {
      // Connections are dealt in turn.
      const watches = range(0, 2).map(() =>
        healthClient(t, address).watch({ service })[Symbol.asyncIterator](),
      );
      const told = () => Promise.all(watches.map(async (each) => (await each.next()).value.status));
      t.deepEqual(await told(), ['SERVING', 'SERVING']);
      isReady = false;
      t.deepEqual(await told(), ['NOT_SERVING', 'NOT_SERVING']);
      t.false(await readyz());
      isReady = true;
      t.deepEqual(await told(), ['SERVING', 'SERVING']);
      t.true(await readyz());
    }
  },
);

test('a batch whose connection was lost is run again', async (t) => {
  const config = smallConfig(await makeFolder(t), { logLevel: 'silent' });
  const registry = await startRegistry(t, config);
  const links = new Set<Socket>();
  let isOpen = false;
  let runs = 0;
  const promote = (name: string, version: number) => registry.promote(name, version);
  const inner = await openTestPort(
    t,
    {
      lender: registry,
      models: toModelAdmin({ registry, promote }, () => {}),
      pixelClassifier: {
        async classifyPixels(pixels, handle, way) {
          if (isOpen) runs += 1;
          if (runs === 1) for (const link of links) link.destroy();
          return (handle as Handle).batcher.submit(pixels, way); // from the registry above
        },
      },
    },
    { isInner: true },
  );
  // What lies between the two processes, and can be cut.
  const between = createServer((link) => {
    const onward = connectSocket(inner.rpc.port, '127.0.0.1');
    links.add(link);
    link.on('error', () => {}).on('close', () => onward.destroy());
    onward.on('error', () => {}).on('close', () => link.destroy());
    link.pipe(onward).pipe(link);
  });
  await once(between.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => between.close());
  const { port } = between.address() as AddressInfo;
  const io = await openIo({ config, target: `127.0.0.1:${port}` });
  isOpen = true;
  const client = connect(`127.0.0.1:${io.port}`);
  t.teardown(async () => {
    client.close();
    await io.drain(0);
  });
  t.is((await client.classifyFrame(frameOf(7))).prediction.outcome, 'ok');
  t.is(runs, 2);
});

test.serial('no bound of clients refuses a batch of an I/O process', async (t) => {
  // A batch of four is larger than a message may be, and has more rows than may wait of a stream.
  const { open } = await startShared(t, { 'max-message-bytes': 1024, 'max-stream-frames': 2 });
  await Promise.all(range(0, 4).map((at) => stream(t, open(), range(at * 100, 50))));
});

test.serial('a process that dies is replaced, and the others go on', async (t) => {
  const { open, pids, until } = await startShared(t);
  process.kill(pids()[0] ?? 0, 'SIGKILL');
  await until('an I/O process ended', 1);
  await stream(t, open(), range(0, 20));
  await until('an I/O process serves', 3);
  await Promise.all(range(0, 4).map((at) => stream(t, open(), range(at * 20, 20))));
});

test.serial('SIGTERM lets every process answer what it has, and ends with 0', async (t) => {
  const { child, open, pids } = await startShared(t);
  const clients = range(0, 4).map(open);
  const answered = clients.map(async (client) => {
    const outcomes: string[] = [];
    async function* endless() {
      for (let number = 0; !child.killed && number < 10_000; number += 1) yield frameOf(number);
    }
    try {
      for await (const reply of client.classify({ model: 'cells' }, endless())) {
        if (reply.kind !== 'prediction') continue;
        outcomes.push(reply.prediction.outcome);
        if (outcomes.length === 20) begun();
      }
    } catch (error) {
      // Told after every frame that was admitted had its answer.
      t.is((error as DomainError).code, 'draining');
    }
    return outcomes;
  });
  let begun = () => {};
  await new Promise<void>((resolve) => {
    begun = resolve;
  });
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  t.is(code, 0);
  for (const outcomes of await Promise.all(answered)) {
    t.true(outcomes.every((outcome) => outcome === 'ok'));
  }
  for (const pid of pids()) t.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});
