import { once } from 'node:events';
import http2 from 'node:http2';
import test from 'ava';
import { framed } from '../../bench/chaos/deaf-stream.js';
import { encodeOptions } from '../../bench/raw-client.js';
import { createLoopBudget } from '../../src/rpc/loop-budget.js';
import { createTestLender, openTestPort } from './fakes.js';

/** A budget of 3 ms whose clock stands still unless a piece of work spends time. */
function threeMs() {
  let nowMs = 0;
  const budget = createLoopBudget({ turnMs: 3 }, { now: () => nowMs });
  return {
    budget,
    spend: (ms: number) => {
      nowMs += ms;
    },
  };
}

/** Resolves behind the immediates that are set by now. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('what fits into the turn is done at once', (t) => {
  const { budget, spend } = threeMs();
  let done = 0;
  for (let piece = 0; piece < 3; piece += 1) {
    budget.run(() => {
      done += 1;
      spend(1);
    });
  }
  t.is(done, 3);
});

test('what exceeds it is done in later turns, in the order in which it came', async (t) => {
  const { budget, spend } = threeMs();
  const done: number[] = [];
  for (let piece = 0; piece < 10; piece += 1) {
    budget.run(() => {
      done.push(piece);
      spend(1);
    });
  }
  const doneByTurn = [done.length];
  for (let turns = 0; turns < 3; turns += 1) {
    await turn();
    doneByTurn.push(done.length);
  }
  t.deepEqual(doneByTurn, [3, 6, 9, 10]);
  t.deepEqual(
    done,
    Array.from({ length: 10 }, (_, piece) => piece),
  );
});

test('what a piece does behind promises and ticks counts as its own', async (t) => {
  const { budget, spend } = threeMs();
  let done = 0;
  const work = async () => {
    await budget.enter();
    await null;
    await new Promise<void>((resolve) => process.nextTick(resolve));
    spend(1);
    done += 1;
  };
  budget.run(() => spend(3)); // the turn is used up
  for (let piece = 0; piece < 9; piece += 1) void work();
  await turn();
  // The time of a piece may be known a piece late.
  t.true(done === 3 || done === 4, `${done} pieces of 1 ms in a turn of 3 ms`);
  await turn();
  await turn();
  t.is(done, 9);
});

test('who comes while others wait does not overtake them', async (t) => {
  const { budget, spend } = threeMs();
  const done: string[] = [];
  budget.run(() => spend(3));
  budget.run(() => {
    done.push('first');
    budget.run(() => done.push('third'));
  });
  budget.run(() => done.push('second'));
  t.deepEqual(done, []);
  await turn();
  t.deepEqual(done, ['first', 'second', 'third']);
});

test('a turn without work leaves nothing behind', async (t) => {
  const { budget, spend } = threeMs();
  budget.run(() => spend(3));
  await turn();
  t.is(budget.enter(), null, 'a new turn has begun');
});

test('health is answered before the streams that a client opens all at once', async (t) => {
  const lending = createTestLender();
  const { address } = await openTestPort(t, { lender: lending.lender }, { maxCalls: 5000 });
  const session = http2.connect(`http://${address}`);
  t.teardown(() => session.destroy());
  await once(session, 'remoteSettings');
  const open = (path: string, message: Buffer) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => {});
    stream.write(framed(message));
    return stream;
  };
  const answered: string[] = [];
  const options = encodeOptions({ model: 'cells' });
  const streams = Array.from({ length: 900 }, async () => {
    await once(open('/cytostream.v1.ClassifierService/Classify', options), 'data');
    answered.push('stream');
  });
  await once(open('/grpc.health.v1.Health/Check', Buffer.alloc(0)).end(), 'data');
  answered.push('health');
  await Promise.all(streams);
  const before = answered.indexOf('health');
  t.log(`${before} of 900 streams were answered before`);
  t.true(before < 450);
});
