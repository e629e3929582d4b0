import { PassThrough } from 'node:stream';
import test from 'ava';
import { readServerLog } from '../../bench/soak/server-log.js';
import { sum } from '../../bench/soak/tally.js';

const call = (frames: number, outcomes: Readonly<Record<string, number>>) =>
  `${JSON.stringify({ level: 30, method: 'Classify', code: 'OK', frames, outcomes, msg: 'call' })}\n`;

test('the frames and outcomes of all calls are summed, so that one that is missing shows', async (t) => {
  const stderr = new PassThrough();
  const log = readServerLog(stderr);
  stderr.write(call(10, { ok: 8, shed: 2 }));
  stderr.write(call(5, { ok: 3, cancelled: 1 }));
  await log.until(({ calls }) => calls.get('Classify') === 2, 'both calls were over');
  t.is(log.admitted, 15);
  t.deepEqual(Object.fromEntries(log.outcomes), { ok: 11, shed: 2, cancelled: 1 });
  t.is(log.admitted - sum(log.outcomes), 1);
  t.deepEqual(log.errors, []);
});

test('errors, warnings of Node and crashes are kept; what serve tells a person is not', async (t) => {
  const stderr = new PassThrough();
  const log = readServerLog(stderr);
  const error = '{"level":50,"msg":"call failed"}';
  const warning = '(node:1) MaxListenersExceededWarning: Possible EventEmitter memory leak';
  stderr.write(`draining after SIGTERM; once more ends at once\n${error}\n${warning}\ndrained\n`);
  stderr.write('{"level":30,"msg":"last"}\n');
  await log.until(() => log.times('last') === 1, 'the last line');
  t.deepEqual(log.errors, [error, warning]);
});

test('what is waited for and never comes is told when the log ends', async (t) => {
  const stderr = new PassThrough();
  const log = readServerLog(stderr);
  const waited = log.until(() => log.times('never') > 0, 'it happened');
  stderr.end();
  await t.throwsAsync(waited, { message: 'the server ended before it happened' });
});
