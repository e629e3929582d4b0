import test from 'ava';
import type { ClassifyReply } from '../../src/client/index.js';
import { DomainError } from '../../src/errors.js';
import type { Frame } from '../../src/frames/index.js';
import {
  collect,
  createFeed,
  createPuppetClassifier,
  createTestLender,
  openTestPort,
  predictionOf,
  promptClassifier,
  sample,
  tinyFrame,
} from './fakes.js';

const predictions = (replies: readonly ClassifyReply[]) =>
  replies.flatMap((reply) => (reply.kind === 'prediction' ? [reply.prediction] : []));

test('a stream tells its model first, then answers every frame, then ends', async (t) => {
  const { client } = await openTestPort(t);
  const frames = [tinyFrame('a', 0), tinyFrame('b', 255)];
  const replies = await collect(client.classify({ model: 'cells' }, frames));
  const [first] = replies;
  t.is(first?.kind, 'model');
  if (first?.kind === 'model') {
    t.is(first.model.name, 'cells');
    t.is(first.model.version, 1);
    t.is(first.model.labels.length, 28);
    t.is(first.model.thresholds.length, 28);
    t.deepEqual(first.model.inputSpec.channels.length, 4);
    t.is(first.model.maxInFlight, 64);
  }
  const answers = predictions(replies);
  t.deepEqual(answers.map(({ frameId, outcome }) => [frameId, outcome]).sort(), [
    ['a', 'ok'],
    ['b', 'ok'],
  ]);
  const b = answers.find(({ frameId }) => frameId === 'b');
  t.is(b?.probabilities.length, 28);
  t.is(b?.probabilities[27], 1);
  t.is(b?.labelIndices.length, 28);
  t.is(b?.timings.runMs, 3);
  t.true((b?.timings.totalMs ?? 0) > 0);
});

test('an unknown model ends the stream with model_unknown', async (t) => {
  const { client } = await openTestPort(t);
  const error = await t.throwsAsync(collect(client.classify({ model: 'nuclei' }, [])), {
    instanceOf: DomainError,
  });
  t.is(error.code, 'model_unknown');
});

test('a frame that asks for what its model cannot explain is invalid, alone it is unimplemented', async (t) => {
  const { client } = await openTestPort(t, {
    classifier: {
      classify: (frame, handle, options) =>
        options.explain?.embedding
          ? Promise.reject(new DomainError('unsupported', 'it gives no embeddings'))
          : promptClassifier.classify(frame, handle, options),
    },
  });
  const asking = { ...tinyFrame('asks'), explain: { embedding: true } };
  const frames = [asking, tinyFrame('plain')];
  const answers = predictions(await collect(client.classify({ delivery: 'inOrder' }, frames)));
  t.like(answers[0], { outcome: 'invalid', message: 'it gives no embeddings' });
  t.like(answers[1], { outcome: 'ok' });
  const error = await t.throwsAsync(client.classifyFrame(asking, {}), { instanceOf: DomainError });
  t.is(error.code, 'unsupported');
  t.is(error.message, 'it gives no embeddings');
});

test('frames that cannot be read are answered in-band and the stream goes on', async (t) => {
  const { client, metrics } = await openTestPort(t);
  const bad: Frame = { ...tinyFrame('bad'), widthPx: 0, planes: [] };
  const long = tinyFrame('x'.repeat(129));
  const answers = predictions(
    await collect(client.classify({ delivery: 'inOrder' }, [bad, long, tinyFrame('good')])),
  );
  t.deepEqual(
    answers.map(({ outcome }) => outcome),
    ['invalid', 'invalid', 'ok'],
  );
  t.regex(answers[0]?.message ?? '', /width_px and height_px: .*; planes: /, 'all faults at once');
  t.regex(answers[1]?.message ?? '', /frame_id: expected at most 128 bytes, got 129/);
  t.is(answers[1]?.frameId.length, 128);
  t.is(await sample(metrics, 'cytostream_frames_total', 'outcome="invalid"'), 2);
});

const outcomesByCode = [
  ['frame_invalid', 'invalid'],
  ['overloaded', 'shed'],
  ['deadline', 'expired'],
  ['model_failed', 'failed'],
  ['not_ready', 'failed'],
  ['internal', 'failed'],
] as const;
for (const [code, outcome] of outcomesByCode) {
  test(`a frame that fails with ${code} is answered ${outcome}`, async (t) => {
    const classifier = {
      classify: async (frame: Frame) => {
        if (frame.id === 'bad') throw new DomainError(code, 'because');
        return predictionOf(frame, 1);
      },
    };
    const { client } = await openTestPort(t, { classifier });
    const replies = await collect(
      client.classify({ delivery: 'inOrder' }, [tinyFrame('bad'), tinyFrame('good')]),
    );
    const [bad, good] = predictions(replies);
    t.is(bad?.outcome, outcome);
    t.is(bad?.message, 'because');
    t.is(bad?.probabilities.length, 0);
    t.is(bad?.version, 1);
    t.is(good?.outcome, 'ok');
  });
}

test('as completed, an answer does not wait for the frames before it', async (t) => {
  const puppet = createPuppetClassifier();
  const { client } = await openTestPort(t, { classifier: puppet.classifier });
  const replies = client.classify({}, [tinyFrame('a'), tinyFrame('b')])[Symbol.asyncIterator]();
  const model = replies.next();
  await puppet.came(2);
  puppet.calls[1]?.answer();
  await model;
  const second = await replies.next();
  t.like(second.value, { prediction: { frameId: 'b' } });
  puppet.calls[0]?.answer();
  t.like((await replies.next()).value, { prediction: { frameId: 'a' } });
  t.true((await replies.next()).done);
});

test('in order, an answer waits for the frames before it', async (t) => {
  const puppet = createPuppetClassifier();
  const { client } = await openTestPort(t, { classifier: puppet.classifier });
  const frames = ['a', 'b', 'c'].map((id) => tinyFrame(id));
  const all = collect(client.classify({ delivery: 'inOrder' }, frames));
  await puppet.came(3);
  for (const index of [2, 0, 1]) puppet.calls[index]?.answer();
  t.deepEqual(
    predictions(await all).map(({ frameId }) => frameId),
    ['a', 'b', 'c'],
  );
});

test('in order, refused frames behind a slow one are not read without end', async (t) => {
  const puppet = createPuppetClassifier();
  const classifier = {
    classify: async (...call: Parameters<typeof puppet.classifier.classify>) =>
      call[0].id === 'other' ? predictionOf(call[0], 1) : puppet.classifier.classify(...call),
  };
  const { client } = await openTestPort(t, { classifier });
  // Large enough that what the transport takes in on its own is a hundred of them.
  const [plane] = tinyFrame('').planes;
  const planes = [{ ...plane!, bytes: Buffer.alloc(20_000) }];
  const refused = { ...tinyFrame('refused'), widthPx: 0, planes };
  const total = 4000;
  let sent = 0;
  function* frames() {
    yield tinyFrame('first');
    for (; sent < total; sent += 1) yield refused;
  }
  const reading = collect(client.classify({ delivery: 'inOrder' }, frames()));
  await puppet.came(1);
  for (let before = -1; before !== sent; ) {
    before = sent;
    for (let trip = 0; trip < 50; trip += 1) await client.classifyFrame(tinyFrame('other'));
  }
  t.true(sent < total / 2, `${sent} of ${total} refused frames were read`);
  puppet.calls[0]?.answer();
  const outcomes = predictions(await reading).map(({ outcome }) => outcome);
  t.is(outcomes.length, total + 1);
  t.is(outcomes[0], 'ok');
  t.true(outcomes.slice(1).every((outcome) => outcome === 'invalid'));
});

test('block: a full stream is not read on until an answer has left', async (t) => {
  const puppet = createPuppetClassifier();
  const { client } = await openTestPort(t, { classifier: puppet.classifier });
  const frames = Array.from({ length: 6 }, (_, index) => tinyFrame(String(index)));
  const all = collect(client.classify({ maxInFlight: 2 }, frames));
  await puppet.came(2);
  for (let answered = 0; answered < 6; answered += 1) {
    t.is(puppet.calls.length, Math.min(6, answered + 2));
    puppet.calls[answered]?.answer();
    if (answered + 3 <= 6) await puppet.came(answered + 3);
  }
  const answers = predictions(await all);
  t.is(answers.length, 6);
  t.true(answers.every(({ outcome }) => outcome === 'ok'));
});

test('drop oldest: the oldest waiting frame is shed, one with the model never', async (t) => {
  const puppet = createPuppetClassifier();
  const { client } = await openTestPort(t, { classifier: puppet.classifier });
  const feed = createFeed<Frame>();
  const replies = client
    .classify({ overflow: 'dropOldest', maxInFlight: 4 }, feed)
    [Symbol.asyncIterator]();
  const model = replies.next();
  // Two are with the model, two wait; the fifth and sixth drive out the two that wait.
  feed.push(...['a', 'b', 'c', 'd', 'e', 'f'].map((id) => tinyFrame(id)));
  await model;
  t.like((await replies.next()).value, { prediction: { frameId: 'c', outcome: 'shed' } });
  t.like((await replies.next()).value, { prediction: { frameId: 'd', outcome: 'shed' } });
  t.deepEqual(
    puppet.calls.map(({ frame }) => frame.id),
    ['a', 'b'],
  );
  puppet.calls[0]?.answer();
  puppet.calls[1]?.answer();
  await puppet.came(4);
  puppet.calls[2]?.answer();
  puppet.calls[3]?.answer();
  feed.end();
  const rest = predictions(await collect({ [Symbol.asyncIterator]: () => replies }));
  t.deepEqual(
    rest.map(({ frameId, outcome }) => [frameId, outcome]).sort(),
    ['a', 'b', 'e', 'f'].map((id) => [id, 'ok']),
  );
});

test('latest only: every waiting frame is superseded by the newest', async (t) => {
  const puppet = createPuppetClassifier();
  const { client } = await openTestPort(t, { classifier: puppet.classifier });
  const feed = createFeed<Frame>();
  const replies = client.classify({ overflow: 'latestOnly' }, feed)[Symbol.asyncIterator]();
  const model = replies.next();
  feed.push(...['a', 'b', 'c', 'd', 'e'].map((id) => tinyFrame(id)));
  t.like((await model).value, { model: { maxInFlight: 3 } });
  t.like((await replies.next()).value, { prediction: { frameId: 'c', outcome: 'superseded' } });
  t.like((await replies.next()).value, { prediction: { frameId: 'd', outcome: 'superseded' } });
  puppet.calls[0]?.answer();
  t.like((await replies.next()).value, { prediction: { frameId: 'a', outcome: 'ok' } });
  await puppet.came(3);
  t.is(puppet.calls[2]?.frame.id, 'e');
  puppet.calls[1]?.answer();
  puppet.calls[2]?.answer();
  feed.end();
  const rest = predictions(await collect({ [Symbol.asyncIterator]: () => replies }));
  t.deepEqual(rest.map(({ frameId }) => frameId).sort(), ['b', 'e']);
});

test('a promoted version is told before its first prediction', async (t) => {
  const puppet = createPuppetClassifier();
  const lending = createTestLender();
  const { client } = await openTestPort(t, {
    classifier: puppet.classifier,
    lender: lending.lender,
  });
  const feed = createFeed<Frame>();
  const all = collect(client.classify({ model: 'cells' }, feed));
  feed.push(tinyFrame('a'));
  await puppet.came(1);
  puppet.calls[0]?.answer();
  lending.promote(2);
  feed.push(tinyFrame('b'));
  await puppet.came(2);
  puppet.calls[1]?.answer();
  feed.end();
  t.deepEqual(
    (await all).map((reply) =>
      reply.kind === 'model' ? `model ${reply.model.version}` : reply.prediction.frameId,
    ),
    ['model 1', 'a', 'model 2', 'b'],
  );
  t.is(lending.lent, 0, 'every handle is back');
});

test('a client that leaves has its frames cancelled and counted', async (t) => {
  const puppet = createPuppetClassifier();
  const lending = createTestLender();
  const { client, metrics, rpc } = await openTestPort(t, {
    classifier: puppet.classifier,
    lender: lending.lender,
  });
  const leaving = new AbortController();
  const feed = createFeed<Frame>();
  feed.push(tinyFrame('a'), tinyFrame('b'), tinyFrame('c'));
  const all = collect(client.classify({}, feed, { signal: leaving.signal }));
  await puppet.came(3);
  leaving.abort();
  const error = await t.throwsAsync(all, { instanceOf: DomainError });
  t.is(error.code, 'cancelled');
  await rpc.drain(10_000);
  t.true(puppet.calls.every(({ options }) => options.signal?.aborted));
  t.is(lending.lent, 0);
  t.is(await sample(metrics, 'cytostream_frames_total', 'outcome="cancelled"'), 3);
  t.is(await sample(metrics, 'cytostream_rpc_handled_total', 'code="CANCELLED"'), 1);
});

test('the deadline of the call reaches its frames', async (t) => {
  const puppet = createPuppetClassifier();
  const { client } = await openTestPort(t, { classifier: puppet.classifier });
  const timeoutMs = 60_000;
  const calledAtMs = performance.now();
  const replies = collect(client.classify({}, [tinyFrame('a')], { timeoutMs }));
  await puppet.came(1);
  const cameAtMs = performance.now();
  const [call] = puppet.calls;
  const deadlineAtMs = call?.options.deadlineAtMs ?? 0;
  // gRPC sends what is left of it, and both ends round to milliseconds.
  t.true(deadlineAtMs >= calledAtMs + timeoutMs - 2, `${deadlineAtMs - calledAtMs} ms`);
  t.true(deadlineAtMs <= cameAtMs + timeoutMs + 2, `${deadlineAtMs - cameAtMs} ms`);
  call?.answer();
  await replies;
});

test('the deadline of the call ends the stream', async (t) => {
  const puppet = createPuppetClassifier();
  const { client } = await openTestPort(t, { classifier: puppet.classifier });
  const feed = createFeed<Frame>();
  feed.push(tinyFrame('a'));
  const error = await t.throwsAsync(collect(client.classify({}, feed, { timeoutMs: 300 })), {
    instanceOf: DomainError,
  });
  t.is(error?.code, 'deadline');
});

test('a deadline counts from receipt: the frame first, then the stream', async (t) => {
  const puppet = createPuppetClassifier();
  const { client } = await openTestPort(t, { classifier: puppet.classifier });
  const frames = [tinyFrame('a'), { ...tinyFrame('b'), deadlineMs: 20_000 }];
  const all = collect(client.classify({ defaultDeadlineMs: 60_000, delivery: 'inOrder' }, frames));
  await puppet.came(2);
  const [a, b] = puppet.calls.map(({ options }) => (options.deadlineAtMs ?? 0) - performance.now());
  t.true((a ?? 0) > 30_000 && (a ?? 0) <= 60_000);
  t.true((b ?? 0) > 0 && (b ?? 0) <= 20_000);
  for (const call of puppet.calls) call.answer();
  t.is(predictions(await all).length, 2);
});

test('two model versions and a thousand frames: nothing is lost or crossed', async (t) => {
  const lending = createTestLender();
  const classifier = {
    classify: async (frame: Frame) => {
      if (frame.id === '500') lending.promote(2);
      // Answers come back out of order.
      if (Number(frame.id) % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
      return predictionOf(frame, 1);
    },
  };
  const { client } = await openTestPort(t, { classifier, lender: lending.lender });
  const frames = Array.from({ length: 1000 }, (_, i) => tinyFrame(String(i), i % 256));
  const answers = predictions(await collect(client.classify({}, frames)));
  t.is(new Set(answers.map(({ frameId }) => frameId)).size, 1000);
  t.is(answers.length, 1000);
  for (const { frameId, probabilities } of answers) {
    t.is(Math.round((probabilities[0] ?? 0) * 255), Number(frameId) % 256);
  }
});
