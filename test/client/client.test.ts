import { once } from 'node:events';
import { createServer } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { connect } from '../../src/client/index.js';
import { DomainError } from '../../src/errors.js';
import { collect, openTestPort, tinyFrame } from '../rpc/fakes.js';

test('a server that cannot be reached is not_ready', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  taken.close();
  await once(taken, 'close');
  const client = connect(`127.0.0.1:${port}`);
  t.teardown(() => client.close());
  const unary = await t.throwsAsync(client.listModels(), { instanceOf: DomainError });
  t.is(unary.code, 'not_ready');
  const stream = await t.throwsAsync(collect(client.classify({}, [tinyFrame('a')])), {
    instanceOf: DomainError,
  });
  t.is(stream.code, 'not_ready');
});

test('a source of frames that fails ends the stream with its own error', async (t) => {
  const { client } = await openTestPort(t);
  async function* failing() {
    yield tinyFrame('a');
    throw new TypeError('the camera is gone');
  }
  const error = await t.throwsAsync(collect(client.classify({}, failing())));
  t.is(error.message, 'the camera is gone');
});

test('frames are asked for only as fast as the server takes them', async (t) => {
  const { client } = await openTestPort(t, {
    lender: { acquire: () => new Promise<never>(() => {}) },
  });
  let asked = 0;
  function* endless() {
    const planes = [{ channel: 'protein', bytes: Buffer.alloc(1024 * 1024) }];
    for (;;) {
      asked += 1;
      yield { ...tinyFrame(String(asked)), planes };
    }
  }
  const leaving = new AbortController();
  const reading = t.throwsAsync(
    collect(client.classify({}, endless(), { signal: leaving.signal })),
  );
  for (let before = -1, quiet = 0; quiet < 200; ) {
    quiet = asked === before ? quiet + 1 : 0;
    before = asked;
    await setImmediate();
  }
  t.true(asked > 1);
  t.true(asked < 100, `${asked} frames of 1 MiB were asked for`);
  leaving.abort();
  await reading;
});

test('leaving the loop early cancels the call on the server', async (t) => {
  let signal: AbortSignal | undefined;
  const { client, rpc } = await openTestPort(t, {
    classifier: {
      classify: (frame, handle, options) => {
        if (frame.id === 'b') {
          signal = options.signal;
          return new Promise((_resolve, reject) => {
            options.signal?.addEventListener('abort', () => reject(options.signal?.reason));
          });
        }
        return Promise.resolve({
          frameId: frame.id,
          probabilities: new Float32Array(28),
          labelIndices: [],
          version: handle.manifest.version,
          batchSize: 1,
          qualityFlags: [],
          timings: { prepareMs: 0, queueMs: 0, runMs: 0 },
        });
      },
    },
  });
  for await (const reply of client.classify({}, [tinyFrame('a'), tinyFrame('b')])) {
    if (reply.kind === 'prediction') break;
  }
  await rpc.drain(60_000);
  t.true(signal === undefined || signal.aborted);
});

test('a call that was aborted before it began does not reach the server', async (t) => {
  const { client } = await openTestPort(t);
  const signal = AbortSignal.abort();
  const error = await t.throwsAsync(client.classifyFrame(tinyFrame('a'), {}, { signal }), {
    instanceOf: DomainError,
  });
  t.is(error.code, 'cancelled');
  const stream = await t.throwsAsync(collect(client.classify({}, [], { signal })), {
    instanceOf: DomainError,
  });
  t.is(stream.code, 'cancelled');
});
