import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { ServiceError } from '@grpc/grpc-js';
import test from 'ava';
import { DomainError } from '../../src/errors.js';
import type { Frame } from '../../src/frames/index.js';
import type { Answer } from '../../src/rpc/index.js';
import {
  collect,
  createFeed,
  createPuppetClassifier,
  createTestLender,
  openTestPort,
  predictionOf,
  tinyFrame,
} from './fakes.js';

test('a drain answers every frame of an open stream, then tells the client to go elsewhere', async (t) => {
  const puppet = createPuppetClassifier();
  const { client, rpc } = await openTestPort(t, { classifier: puppet.classifier });
  const feed = createFeed<Frame>();
  feed.push(tinyFrame('a'), tinyFrame('b'));
  const answered: string[] = [];
  const reading = (async () => {
    for await (const reply of client.classify({}, feed)) {
      if (reply.kind === 'prediction') answered.push(reply.prediction.frameId);
    }
  })();
  await puppet.came(2);
  const drained = rpc.drain(60_000);
  for (const call of puppet.calls) call.answer();
  const error = await t.throwsAsync(reading, { instanceOf: DomainError });
  t.is(error.code, 'draining');
  t.deepEqual(answered.sort(), ['a', 'b']);
  await drained;
  t.is(rpc.openCalls, 0);
});

test('frames that were read ahead when a drain begins are answered as well', async (t) => {
  const puppet = createPuppetClassifier();
  const { client, rpc } = await openTestPort(t, {
    classifier: {
      classify: async (frame, handle, options) =>
        frame.id === 'x'
          ? predictionOf(frame, 1)
          : puppet.classifier.classify(frame, handle, options),
    },
  });
  const feed = createFeed<Frame>();
  feed.push(...Array.from({ length: 10 }, (_, index) => tinyFrame(String(index))));
  const answered: string[] = [];
  const reading = (async () => {
    for await (const reply of client.classify({ maxInFlight: 1 }, feed)) {
      if (reply.kind === 'prediction') answered.push(reply.prediction.frameId);
    }
  })();
  const failed = t.throwsAsync(reading, { instanceOf: DomainError, message: /shutting down/ });
  await puppet.came(1);
  // The other nine are on their way on the same connection: a few round trips later they are here.
  for (let trip = 0; trip < 5; trip += 1) await client.classifyFrame(tinyFrame('x'));
  const drained = rpc.drain(60_000);
  let isOver = false;
  const answering = (async () => {
    for (let index = 0; !isOver; index += 1) {
      await Promise.race([puppet.came(index + 1), failed]);
      puppet.calls[index]?.answer();
    }
  })();
  await failed;
  isOver = true;
  await Promise.all([drained, answering]);
  t.is(answered.length, puppet.calls.length, 'every frame that was taken is answered');
  t.true(answered.length > 1, `${answered.length} of 10 frames were here when the drain began`);
});

test('while draining, a new call is refused with draining', async (t) => {
  const puppet = createPuppetClassifier();
  const { client, rpc } = await openTestPort(t, { classifier: puppet.classifier });
  const open = client.classifyFrame(tinyFrame('a'));
  await puppet.came(1);
  const drained = rpc.drain(60_000);
  const error = await t.throwsAsync(client.classifyFrame(tinyFrame('b')), {
    instanceOf: DomainError,
  });
  t.is(error.code, 'draining');
  const [id] = (error.cause as ServiceError).metadata.get('cytostream-request-id');
  t.regex(String(id), /^[0-9a-f-]{36}$/, 'what an operator finds in the log');
  puppet.calls[0]?.answer();
  t.is((await open).prediction.outcome, 'ok');
  await drained;
});

test('when the grace is over, what is left is cut and gives back what it holds', async (t) => {
  const puppet = createPuppetClassifier();
  const lending = createTestLender();
  const { client, rpc } = await openTestPort(t, {
    classifier: puppet.classifier,
    lender: lending.lender,
  });
  const stuck = [
    client.classifyFrame(tinyFrame('a')),
    collect(client.classify({}, [tinyFrame('b')])),
  ];
  const failed = Promise.all(stuck.map((call) => t.throwsAsync(call)));
  await puppet.came(2);
  await rpc.drain(50);
  await failed;
  t.is(lending.lent, 0);
  t.is(rpc.openCalls, 0);
});

test('when the grace is over, every frame without an answer is answered before its stream is cut', async (t) => {
  const puppet = createPuppetClassifier();
  const { client, rpc } = await openTestPort(t, { classifier: puppet.classifier });
  const streams: {
    readonly ids: readonly string[];
    readonly answers: Answer[];
    readonly error: Promise<DomainError>;
  }[] = [];
  for (const [at, delivery] of (['asCompleted', 'inOrder'] as const).entries()) {
    const feed = createFeed<Frame>();
    const ids = ['a', 'b', 'c'];
    feed.push(...ids.map((id) => tinyFrame(id)));
    const answers: Answer[] = [];
    const reading = (async () => {
      for await (const reply of client.classify({ delivery }, feed)) {
        if (reply.kind === 'prediction') answers.push(reply.prediction);
      }
    })();
    streams.push({ ids, answers, error: t.throwsAsync(reading, { instanceOf: DomainError }) });
    await puppet.came((at + 1) * ids.length);
  }
  puppet.calls[1]?.answer();
  await rpc.drain(5000);
  for (const { ids, answers, error } of streams) {
    t.is((await error).code, 'draining');
    t.deepEqual(answers.map(({ frameId }) => frameId).sort(), ids);
    const left = answers.filter(({ outcome }) => outcome !== 'ok');
    t.true(
      left.every(({ outcome, message }) => outcome === 'failed' && /shutting down/.test(message)),
    );
  }
  t.is(streams[0]?.answers.filter(({ outcome }) => outcome === 'ok').length, 1);
});

test('a hundred concurrent calls at close all settle', async (t) => {
  const lending = createTestLender();
  const classifier = {
    classify: async (frame: Frame) => {
      await setTimeout(Math.random() * 30);
      return predictionOf(frame, 1);
    },
  };
  const { client, rpc } = await openTestPort(t, { classifier, lender: lending.lender });
  await client.classifyFrame(tinyFrame('first'));
  const frames = Array.from({ length: 20 }, (_, index) => tinyFrame(String(index)));
  const calls = Array.from({ length: 100 }, (_, index) =>
    index % 2 === 0 ? collect(client.classify({}, frames)) : client.classifyFrame(tinyFrame('u')),
  );
  const settled = Promise.allSettled(calls);
  await setTimeout(10);
  await rpc.drain(5000);
  for (const result of await settled) {
    if (result.status === 'fulfilled') continue;
    t.true(result.reason instanceof DomainError);
    t.true(['draining', 'not_ready', 'cancelled'].includes(result.reason.code), result.reason.code);
  }
  t.is(lending.lent, 0);
  t.is(rpc.openCalls, 0);
});

test('the call over the limit of open calls is refused as overloaded', async (t) => {
  const puppet = createPuppetClassifier();
  const { client } = await openTestPort(t, { classifier: puppet.classifier }, { maxCalls: 1 });
  const open = client.classifyFrame(tinyFrame('a'));
  await puppet.came(1);
  const error = await t.throwsAsync(client.classifyFrame(tinyFrame('b')), {
    instanceOf: DomainError,
  });
  t.is(error.code, 'overloaded');
  puppet.calls[0]?.answer();
  await open;
});

test('a second drain without grace cuts what the first one still waits for', async (t) => {
  const puppet = createPuppetClassifier();
  const { client, rpc } = await openTestPort(t, { classifier: puppet.classifier });
  const failed = t.throwsAsync(client.classifyFrame(tinyFrame('a')));
  await puppet.came(1);
  const patient = rpc.drain(60_000);
  await rpc.drain(0);
  await Promise.all([patient, failed]);
  t.true(puppet.calls[0]?.isSettled);
});

test('a connection whose other end has vanished does not hold the drain', async (t) => {
  const { rpc, client } = await openTestPort(t);
  await client.classifyFrame(tinyFrame('a'));
  // Half-open: what the server sends is taken in, but its end is never answered.
  const vanished = connect({ host: '127.0.0.1', port: rpc.port, allowHalfOpen: true });
  t.teardown(() => vanished.destroy());
  const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
  const emptySettings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
  vanished.write(Buffer.concat([Buffer.from(preface), emptySettings]));
  await once(vanished, 'data');
  await rpc.drain(50);
  t.is(rpc.openCalls, 0);
});

test('garbage that comes while the port shuts down does not hold the drain', async (t) => {
  const { rpc, client } = await openTestPort(t);
  await client.classifyFrame(tinyFrame('a'));
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  const sockets = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const socket = connect({ host: '127.0.0.1', port: rpc.port });
      t.teardown(() => socket.destroy());
      socket.on('error', () => {}); // the server may well reset it
      socket.resume();
      await once(socket, 'connect');
      return socket;
    }),
  );
  for (const socket of sockets) socket.write(Buffer.concat([preface, Buffer.alloc(500, 7)]));
  // Their sessions are being destroyed, one after the other.
  await Promise.race(sockets.map((socket) => once(socket, 'close')));
  await rpc.drain(60_000);
  t.is(rpc.openCalls, 0);
});
