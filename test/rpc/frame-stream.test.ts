import { setMaxListeners } from 'node:events';
import test from 'ava';
import type { ClassifyResponse } from '../../src/gen/cytostream/v1/classifier.js';
import { silentLog } from '../../src/log.js';
import type { CallContext } from '../../src/rpc/calls.js';
import { createFrameStream } from '../../src/rpc/classify/frame-stream.js';
import type { FrameInput } from '../../src/rpc/index.js';
import { toWireFrame } from '../../src/rpc/index.js';
import { createLoopBudget } from '../../src/rpc/loop-budget.js';
import type { Delivery, Overflow } from '../../src/rpc/wire/enums.js';
import { defaultStreamOptions, fromWirePrediction } from '../../src/rpc/wire/prediction.js';
import { createMetrics } from '../../src/telemetry/index.js';
import { settle } from '../batching/puppet-run.js';
import { createFakeClock } from '../fake-clock.js';
import { createPuppetClassifier, createTestLender, tinyFrame } from './fakes.js';

/** A stream that is fed by the test and whose answers are listed as "id outcome". */
function setUp(overflow: Overflow, maxInFlight: number, delivery: Delivery = 'asCompleted') {
  const clock = createFakeClock();
  const puppet = createPuppetClassifier();
  const answers: string[] = [];
  let endedCount = 0;
  const { signal } = new AbortController();
  setMaxListeners(0, signal); // the puppet listens for each frame
  const context: CallContext = {
    id: 'call',
    signal,
    draining: new AbortController().signal,
    deadlineAtMs: undefined,
    note() {},
  };
  const options = { ...defaultStreamOptions, overflow, delivery };
  const stream = createFrameStream({ options, frame: null, maxInFlight, maxBytes: 1e6 }, context, {
    lender: createTestLender().lender,
    classifier: puppet.classifier,
    metrics: createMetrics(),
    log: silentLog,
    budget: createLoopBudget({ turnMs: 1e6 }),
    write({ message }: ClassifyResponse) {
      if (message?.$case !== 'prediction') return;
      const { frameId, outcome } = fromWirePrediction(message.value);
      answers.push(`${frameId} ${outcome}`);
    },
    onEnded: () => {
      endedCount += 1;
    },
    clock,
  });
  /** Frames that the port holds no more. */
  const left: string[] = [];
  const read = (id: string, deadlineMs = 0, ageMs = 0) => {
    const frame: FrameInput = { ...tinyFrame(id), deadlineMs };
    const value = { message: { $case: 'frame' as const, value: toWireFrame(frame) } };
    return stream.read({ atMs: clock.now() - ageMs, byteLength: 100, value });
  };
  const send = (id: string, deadlineMs = 0) => {
    const frame = read(id, deadlineMs);
    if (frame !== null) stream.accept(frame, () => void left.push(id));
  };
  return { clock, puppet, stream, answers, left, read, send, ended: () => endedCount };
}

test('a frame that waits behind those with the model is expired at its deadline', async (t) => {
  const { clock, puppet, stream, answers, left, send, ended } = setUp('dropOldest', 6);
  // Half of the frames in flight are with the model, which does not answer.
  for (const id of ['a', 'b', 'c']) send(id);
  send('d', 30);
  send('e', 10);
  send('f', 20);
  t.is(clock.waiting, 1, 'one timer for all that wait');
  clock.advance(9);
  t.deepEqual(answers, []);
  clock.advance(1);
  t.deepEqual(answers, ['e expired']);
  t.is(ended(), 1, 'who waits for the stream hears of it');
  clock.advance(10);
  t.deepEqual(answers, ['e expired', 'f expired']);
  t.is(stream.size, 4);
  clock.advance(10);
  t.deepEqual(answers, ['e expired', 'f expired', 'd expired']);
  t.deepEqual(left, ['e', 'f', 'd']);
  t.is(clock.waiting, 0);
  await settle();
  t.is(puppet.calls.length, 3, 'they never came to the model');
});

test('in order, an expired frame is told in its turn', async (t) => {
  const { clock, puppet, answers, send } = setUp('latestOnly', 3, 'inOrder');
  send('a');
  send('b');
  send('c', 10);
  clock.advance(10);
  t.deepEqual(answers, []);
  await settle();
  for (const call of puppet.calls) call.answer();
  await settle();
  t.deepEqual(answers, ['a ok', 'b ok', 'c expired']);
});

test('frames that go to the model at once need no timer of the stream', async (t) => {
  const { clock, puppet, stream, answers, send } = setUp('block', 64);
  for (let at = 0; at < 64; at += 1) send(`${at}`, 50);
  t.is(clock.waiting, 0);
  await settle();
  for (const call of puppet.calls) call.answer();
  await settle();
  t.is(answers.length, 64);
  t.is(stream.size, 0);
});

test('a stream without frames leaves no timer', async (t) => {
  const { clock, puppet, answers, send } = setUp('dropOldest', 2);
  send('a');
  send('b', 60_000);
  t.is(clock.waiting, 1);
  await settle();
  puppet.calls[0]?.answer();
  await settle();
  puppet.calls[1]?.answer();
  await settle();
  t.deepEqual(answers, ['a ok', 'b ok']);
  t.is(clock.waiting, 0);
});

test('a frame that is read after its deadline is expired, and drives none out', async (t) => {
  const { stream, answers, read, send } = setUp('dropOldest', 2);
  send('a');
  send('b');
  t.is(read('late', 20, 20), null);
  t.deepEqual(answers, ['late expired']);
  t.is(stream.size, 2);
  const inTime = read('in time', 20, 19);
  t.is(inTime?.deadlineAtMs, 1001);
});

test('a frame whose deadline passed while the port had no room is expired', async (t) => {
  const { clock, puppet, stream, answers, left, read } = setUp('block', 2);
  const frame = read('a', 20);
  clock.advance(20);
  if (frame !== null) stream.accept(frame, () => void left.push('a'));
  t.deepEqual(answers, ['a expired']);
  t.deepEqual(left, ['a']);
  await settle();
  t.is(puppet.calls.length, 0);
});
