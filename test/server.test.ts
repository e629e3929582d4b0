import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type ClassifyReply, connect } from '../src/client/index.js';
import type { Config } from '../src/config.js';
import { createFakeEngine, fakeProbabilities } from '../src/engines/index.js';
import { DomainError } from '../src/errors.js';
import type { Frame } from '../src/frames/index.js';
import { silentLog } from '../src/log.js';
import { openModelStore } from '../src/models/index.js';
import { startServer } from '../src/server.js';
import { tinyModel } from './engines/tiny-models.js';
import { makeFolder } from './make-folder.js';
import { smallFrame, smallInput, smallLabels } from './small-frames.js';
import { fakeDraft, smallConfig } from './small-server.js';

/** Publishes a version that the fake engine can serve. */
async function publish(config: Config) {
  const store = await openModelStore(config.modelsDir);
  return store.publish(fakeDraft('cells'));
}

async function start(t: ExecutionContext, config: Config, runMs = 0) {
  const engine = createFakeEngine({ runMs });
  const server = await startServer(config, { engine, log: silentLog });
  const client = connect(`127.0.0.1:${server.port}`);
  t.teardown(async () => {
    client.close();
    await server.close();
  });
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${server.httpPort}${path}`);
    return { status: response.status, text: await response.text() };
  };
  return { server, client, get };
}

/** What the fake engine answers to `smallFrame(id, seed)`. */
const expectedOf = (seed: number) =>
  fakeProbabilities(
    Buffer.concat(smallFrame('', seed).planes.map(({ bytes }) => bytes)),
    smallLabels.length,
  );

const predictionsOf = (replies: readonly ClassifyReply[]) =>
  replies.flatMap((reply) => (reply.kind === 'prediction' ? [reply.prediction] : []));

test('a frame goes the whole way: 300 frames over 3 streams, none lost, none crossed', async (t) => {
  const config = smallConfig(await makeFolder(t));
  const { version } = await publish(config);
  const { client, get, server } = await start(t, config);
  await client.promote('cells', version);
  await Promise.all(
    [0, 1, 2].map(async (stream) => {
      const frames = Array.from({ length: 100 }, (_, i) => smallFrame(`${i}`, stream * 100 + i));
      const replies: ClassifyReply[] = [];
      for await (const reply of client.classify({ model: 'cells' }, frames)) replies.push(reply);
      t.is(replies[0]?.kind, 'model');
      const answers = predictionsOf(replies);
      t.is(new Set(answers.map(({ frameId }) => frameId)).size, 100);
      for (const { frameId, outcome, probabilities, message } of answers) {
        t.is(outcome, 'ok', message);
        const seed = stream * 100 + Number(frameId);
        t.deepEqual([...probabilities], [...expectedOf(seed)]);
      }
    }),
  );
  const { text } = await get('/metrics');
  t.regex(text, /cytostream_frames_total\{model="cells",version="1",outcome="ok"\} 300/);
  for (const stage of ['receive', 'prepare', 'queue', 'run', 'total']) {
    t.regex(text, new RegExp(`cytostream_${stage}_seconds_count{model="cells",version="1"} 300`));
  }
  t.regex(text, /cytostream_model_info\{model="cells",version="1",state="ready",.*live="true"\} 1/);
  t.true(Number(/cytostream_engine_rows_total (\d+)/.exec(text)?.[1]) >= 300);
  t.is(server.parts.registry.loaded().length, 1);
});

test('streams that block lose no frame, although the queue of the server is short', async (t) => {
  const config = smallConfig(await makeFolder(t), { maxQueuedFrames: 3, maxStreamFrames: 2 });
  await publish(config);
  const { client } = await start(t, config, 1);
  await client.promote('cells', 1);
  const numbers = Array.from({ length: 40 }, (_, index) => index);
  await Promise.all(
    [0, 1, 2, 3, 4].map(async (stream) => {
      const frames = numbers.map((number) => smallFrame(`${number}`, stream * 100 + number));
      const replies: ClassifyReply[] = [];
      const options = { model: 'cells', overflow: 'block', maxInFlight: 16 } as const;
      for await (const reply of client.classify(options, frames)) replies.push(reply);
      const outcomes = predictionsOf(replies).map(({ outcome }) => outcome);
      t.deepEqual(
        outcomes,
        numbers.map(() => 'ok'),
      );
    }),
  );
});

test('a frame of 32 MiB goes the whole way, streamed and alone, with the pixels of a small one', async (t) => {
  const config = smallConfig(await makeFolder(t));
  await publish(config);
  const { client } = await start(t, config);
  await client.promote('cells', 1);
  const edgePx = 2048;
  // Each pixel of the model covers a square of 256 by 256 that has one value.
  const small = smallFrame('small', 5);
  const large = (id: string): Frame => ({
    ...small,
    id,
    widthPx: edgePx,
    heightPx: edgePx,
    pixelType: 'uint16',
    significantBits: 16,
    planes: small.planes.map(({ channel, bytes }) => {
      const pixels = new Uint16Array(edgePx * edgePx);
      for (let y = 0; y < edgePx; y += 1) {
        for (let x = 0; x < edgePx; x += 256) {
          const value = bytes[(y >> 8) * 8 + (x >> 8)] ?? 0;
          pixels.fill(value * 257, y * edgePx + x, y * edgePx + x + 256);
        }
      }
      return { channel, bytes: new Uint8Array(pixels.buffer) };
    }),
  });
  const replies: ClassifyReply[] = [];
  for await (const reply of client.classify({ model: 'cells' }, [large('a'), large('b')])) {
    replies.push(reply);
  }
  const alone = (await client.classifyFrame(large('c'))).prediction;
  const answers = [...predictionsOf(replies), alone];
  t.deepEqual(answers.map(({ frameId }) => frameId).sort(), ['a', 'b', 'c']);
  for (const { outcome, message, probabilities } of answers) {
    t.is(outcome, 'ok', message);
    t.deepEqual([...probabilities], [...expectedOf(5)]);
  }
});

test('a version is promoted under load: every frame is answered, by the one or the other', async (t) => {
  const config = smallConfig(await makeFolder(t));
  await publish(config);
  await publish(config);
  const { client } = await start(t, config, 1);
  await client.promote('cells', 1);
  let sent = 0;
  let isPromoted = false;
  async function* frames() {
    while (!isPromoted || sent < 200) {
      sent += 1;
      yield smallFrame(String(sent), sent);
      if (sent === 50) {
        client.promote('cells', 2).then(() => {
          isPromoted = true;
        });
      }
    }
    yield smallFrame('last', 7);
  }
  const versions: number[] = [];
  const answers = [];
  for await (const reply of client.classify({ model: 'cells' }, frames())) {
    if (reply.kind === 'model') versions.push(reply.model.version);
    else answers.push(reply.prediction);
  }
  t.is(answers.length, sent + 1);
  t.true(answers.every(({ outcome }) => outcome === 'ok'));
  t.is(answers.find(({ frameId }) => frameId === 'last')?.version, 2);
  t.is(versions[0], 1);
  t.true(versions.includes(2));
});

test('without a model the server is up, but not its classifier; with one, both are', async (t) => {
  const config = smallConfig(await makeFolder(t));
  const { client, get } = await start(t, config);
  t.deepEqual(await get('/readyz'), { status: 200, text: 'ok\n' });
  t.deepEqual(await client.listModels(), []);
  const none = await t.throwsAsync(client.classifyFrame(smallFrame('a', 1)), {
    instanceOf: DomainError,
  });
  t.is(none.code, 'model_unknown');
  const imported = await client.importModel({
    name: 'own',
    onnx: tinyModel(),
    labels: ['one', 'two', 'three', 'four'], // a label a channel
    inputSpec: smallInput,
  });
  t.is(imported.version, 1);
  t.deepEqual(imported.aliases, ['candidate']);
  const live = await client.promote('own', 1);
  t.is(live.state, 'ready');
  t.true(live.aliases.includes('live'));
  t.is((await client.classifyFrame(smallFrame('a', 1))).prediction.outcome, 'ok');
});

test('a server whose only live model is damaged is not ready, in every place that tells', async (t) => {
  const config = smallConfig(await makeFolder(t));
  const { version } = await publish(config);
  await (await openModelStore(config.modelsDir)).setAlias('cells', 'live', version);
  await writeFile(join(config.modelsDir, 'cells', String(version), 'model.onnx'), 'damaged');
  const { client, get } = await start(t, config);
  t.deepEqual(await get('/readyz'), { status: 503, text: 'no live model is ready\n' });
  const { text } = await get('/metrics');
  t.regex(
    text,
    /cytostream_model_info\{model="cells",version="1",state="failed",.*live="true"\} 1/,
  );
  await t.throwsAsync(client.classifyFrame(smallFrame('a', 1), { model: 'cells' }), {
    code: 'model_failed',
  });
});

test('bad frames are answered in-band with what is wrong; the good one among them is served', async (t) => {
  const config = smallConfig(await makeFolder(t));
  await publish(config);
  const { client } = await start(t, config);
  await client.promote('cells', 1);
  const good = smallFrame('good', 1);
  const bad: Frame[] = [
    { ...smallFrame('missing plane', 1), planes: good.planes.slice(0, 3) },
    {
      ...smallFrame('short', 1),
      planes: good.planes.map((p) => ({ ...p, bytes: p.bytes.slice(1) })),
    },
    {
      ...smallFrame('zero bytes', 1),
      planes: good.planes.map((p) => ({ ...p, bytes: new Uint8Array() })),
    },
    {
      ...smallFrame('no png', 1),
      encoding: 'png',
      planes: good.planes.map((p) => ({ ...p, bytes: Buffer.from('not a png') })),
    },
    {
      ...smallFrame('twice', 1),
      planes: [...good.planes, ...smallFrame('x', 1).planes.slice(0, 1)],
    },
  ];
  const replies: ClassifyReply[] = [];
  for await (const reply of client.classify({ model: 'cells' }, [...bad, smallFrame('good', 1)])) {
    replies.push(reply);
  }
  const answers = predictionsOf(replies);
  t.is(answers.length, 6);
  for (const { frameId, outcome, message } of answers) {
    t.is(outcome, frameId === 'good' ? 'ok' : 'invalid', `${frameId}: ${message}`);
    if (outcome === 'invalid') t.regex(message, /expected/, frameId);
  }
});

test('a dataset outside the data roots is refused, by training and by evaluating', async (t) => {
  const folder = await makeFolder(t);
  const config = smallConfig(folder);
  await publish(config);
  const { client } = await start(t, config);
  await client.promote('cells', 1);
  const evaluating = async () => {
    for await (const _reply of client.evaluate({ dataPath: '/etc', model: 'cells' }));
  };
  const training = async () => {
    for await (const _event of client.train({ dataPath: '../..', model: 'cells' }));
  };
  for (const call of [evaluating, training]) {
    const error = await t.throwsAsync(call, { instanceOf: DomainError });
    t.is(error.code, 'option_invalid');
    t.regex(error.message, /below one of the data roots/);
  }
});

test('a gRPC or HTTP port in use stops the start with its number, and nothing stays open', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  t.teardown(() => taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  const folder = await makeFolder(t);
  for (const [use, more] of [
    ['gRPC', { port }],
    ['HTTP', { httpPort: port }],
  ] as const) {
    const starting = startServer(smallConfig(folder, more), {
      engine: createFakeEngine(),
      log: silentLog,
    });
    const error = await t.throwsAsync(starting, { instanceOf: DomainError });
    t.is(error.code, 'option_invalid');
    t.regex(error.message, new RegExp(`${use} port ${port} is in use`));
  }
});

test('a models folder that cannot be written stops the start', async (t) => {
  const folder = await makeFolder(t);
  const config = smallConfig(folder);
  if (process.getuid?.() === 0) {
    // Root may write anywhere but below a file.
    const starting = startServer({ ...config, modelsDir: join('/dev/null', 'models') });
    const error = await t.throwsAsync(starting, { instanceOf: DomainError });
    t.is(error.code, 'storage_failed');
    return;
  }
  await chmod(folder, 0o500);
  t.teardown(() => chmod(folder, 0o700));
  const error = await t.throwsAsync(startServer(config), { instanceOf: DomainError });
  t.is(error.code, 'storage_failed');
});

test('a start that is stopped while a model is being loaded ends within its grace', async (t) => {
  const folder = await makeFolder(t);
  const config = smallConfig(folder, { graceMs: 600 });
  const store = await openModelStore(config.modelsDir);
  const { version } = await store.publish(fakeDraft('cells'));
  await store.setAlias('cells', 'live', version);
  let abandoned = 0;
  const engine = createFakeEngine();
  const stop = new AbortController();
  let giveUp = () => {};
  const hanging = {
    ...engine,
    load: () =>
      new Promise<never>((_, reject) => {
        giveUp = () => reject(new DomainError('not_ready', 'the engine is closed'));
        stop.abort(new DOMException('stopped by SIGTERM', 'AbortError'));
      }),
    abandon() {
      abandoned += 1;
      giveUp();
      return 1;
    },
  };
  const starting = startServer(config, { engine: hanging, log: silentLog }, stop.signal);
  await t.throwsAsync(starting, { instanceOf: DomainError, code: 'cancelled' });
  t.is(abandoned, 1);
});

test('a certificate that is none stops the start', async (t) => {
  const config = smallConfig(await makeFolder(t), {
    tlsCert: '/nowhere.pem',
    tlsKey: '/nowhere.key',
  });
  const error = await t.throwsAsync(startServer(config, { engine: createFakeEngine() }), {
    instanceOf: DomainError,
  });
  t.is(error.code, 'option_invalid');
  t.regex(error.message, /tlsCert and tlsKey/);
});

test('over TLS a client with the certificate is served, one in plain text is not', async (t) => {
  const folder = await makeFolder(t);
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const options = `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout ${key} -out ${cert}`;
  const made = spawn('openssl', [...options.split(' '), '-addext', 'subjectAltName=DNS:localhost']);
  const [code] = await Promise.race([
    once(made, 'close'),
    once(made, 'error').then(() => ['missing']),
  ]);
  if (code !== 0) {
    t.log(`SKIPPED: openssl is needed to make a certificate (${code})`);
    t.pass();
    return;
  }
  const { readFileSync } = await import('node:fs');
  const { credentials } = await import('@grpc/grpc-js');
  const config = smallConfig(folder, { tlsCert: cert, tlsKey: key });
  await publish(config);
  const { server } = await start(t, config);
  const secure = connect(`localhost:${server.port}`, {
    credentials: credentials.createSsl(readFileSync(cert)),
  });
  const plain = connect(`localhost:${server.port}`);
  t.teardown(() => {
    secure.close();
    plain.close();
  });
  t.is((await secure.listModels()).length, 1);
  await t.throwsAsync(plain.listModels({ timeoutMs: 2000 }));
});

test('a drain under load answers what it took, and leaves nothing open', async (t) => {
  const folder = await makeFolder(t);
  const config = smallConfig(folder);
  await publish(config);
  const { server, client } = await start(t, config, 2);
  await client.promote('cells', 1);
  const outcomes: string[] = [];
  let sent = 0;
  function* endless() {
    for (;;) {
      sent += 1;
      yield smallFrame(String(sent), sent);
    }
  }
  const failed = t.throwsAsync(
    async () => {
      for await (const reply of client.classify({ model: 'cells' }, endless())) {
        if (reply.kind !== 'prediction') continue;
        outcomes.push(reply.prediction.outcome);
        if (outcomes.length === 20) server.drain();
      }
    },
    { instanceOf: DomainError },
  );
  t.is((await failed)?.code, 'draining');
  await server.drain();
  t.true(outcomes.length >= 20);
  t.true(outcomes.every((outcome) => outcome === 'ok'));
  await t.throwsAsync(fetch(`http://127.0.0.1:${server.httpPort}/healthz`));
  const leftovers = (await readdir(config.modelsDir)).filter((name) => name.startsWith('.'));
  t.deepEqual(leftovers, []);
});

test('an engine that hangs is abandoned within the grace period, and its frames are told', async (t) => {
  const graceMs = 5000;
  const config = smallConfig(await makeFolder(t), { graceMs });
  await publish(config);
  let hasHung = false;
  let tellHung: () => void = () => {};
  const runs = new Promise<void>((resolve) => {
    tellHung = resolve;
  });
  let giveUp: (error: DomainError) => void = () => {};
  const hung = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  hung.catch(() => {});
  const wait = async () => {
    if (!hasHung) return;
    tellHung();
    await hung;
  };
  const fake = createFakeEngine({ runMs: 1, wait });
  const engine = {
    ...fake,
    abandon() {
      giveUp(new DomainError('not_ready', 'the engine restarts; try again'));
      return 1;
    },
  };
  const server = await startServer(config, { engine, log: silentLog });
  const client = connect(`127.0.0.1:${server.port}`);
  t.teardown(() => client.close());
  await client.promote('cells', 1);
  hasHung = true;
  const answers: ClassifyReply[] = [];
  const frames = [0, 1, 2, 3, 4].map((number) => smallFrame(`${number}`, number));
  const reading = (async () => {
    for await (const reply of client.classify({ model: 'cells' }, frames)) answers.push(reply);
  })();
  await runs;
  const drained = server.drain();
  // All frames were sent, so the stream may also end well, once they are answered.
  await reading.catch((error: DomainError) => t.is(error.code, 'draining'));
  const outcomes = predictionsOf(answers).map(({ outcome }) => outcome);
  t.true(outcomes.length > 0 && outcomes.every((outcome) => outcome === 'failed'), `${outcomes}`);
  await drained;
  t.deepEqual(
    server.parts.registry.loaded().map(({ state }) => state),
    [],
    'what waited for the engine has ended',
  );
});

test('an alone frame that is refused is told a delay that grows with the backlog', async (t) => {
  const delays: number[] = [];
  for (const maxQueuedFrames of [8, 40]) {
    const config = smallConfig(await makeFolder(t), { maxQueuedFrames });
    await publish(config);
    const { promise: released, release } = latch();
    let isWarm = false;
    const engine = createFakeEngine({
      runMs: (batchSize) => 60 + 20 * batchSize,
      wait: async () => (isWarm ? released : undefined),
    });
    const server = await startServer(config, { engine, log: silentLog });
    const client = connect(`127.0.0.1:${server.port}`);
    t.teardown(async () => {
      client.close();
      await server.close();
    });
    await client.promote('cells', 1);
    isWarm = true;
    const calls: Promise<unknown>[] = [];
    let refused: DomainError | null = null;
    while (refused === null) {
      calls.push(
        client.classifyFrame(smallFrame(`${calls.length}`, calls.length)).catch((error) => {
          refused ??= error;
        }),
      );
      await new Promise(setImmediate);
    }
    t.is(server.parts.registry.loaded()[0]?.queuedFrames, maxQueuedFrames);
    const { code, retryAfterMs = 0 } = refused as DomainError;
    t.is(code, 'overloaded');
    delays.push(retryAfterMs);
    release();
    await Promise.all(calls);
  }
  // Batches of four take 140 ms, and half of what waits has to run: one batch, and five. What is
  // with the engine, two batches at most, comes before.
  const [short = 0, long = 0] = delays;
  t.true(short >= 140 && short <= 140 + 2 * 140, `${short} ms`);
  t.true(long >= 700 && long <= 700 + 2 * 140, `${long} ms`);
});

function latch() {
  let release: () => void = () => {};
  const promise = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { promise, release };
}
