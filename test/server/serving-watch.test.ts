import test from 'ava';
import type { Classifier, Lent, Prediction } from '../../src/classify/index.js';
import { DomainError } from '../../src/errors.js';
import { createServingWatch } from '../../src/server/serving-watch.js';
import { settle } from '../batching/puppet-run.js';
import { createFakeClock } from '../fake-clock.js';
import { tinyFrame } from '../rpc/fakes.js';

/** A watch on a classifier whose every answer the test gives. */
function setUp() {
  const clock = createFakeClock();
  const watch = createServingWatch({ quietMs: 1000 }, { clock });
  const ends: { answer(): void; fail(error: DomainError): void }[] = [];
  const wait = <T>() =>
    new Promise<T>((resolve, reject) => {
      ends.push({ answer: () => resolve({} as T), fail: reject });
    });
  const classifier: Classifier = watch.hear({
    classify: () => wait<Prediction>(),
    classifyPixels: () => wait(),
  });
  const heard: boolean[] = [];
  watch.onChange((isServing) => heard.push(isServing));
  const send = () => void classifier.classify(tinyFrame('a'), {} as Lent).catch(() => {});
  return { clock, watch, classifier, ends, heard, send };
}

test('serving is told once when a frame comes, and once a second after the last answer', async (t) => {
  const { clock, watch, ends, heard, send } = setUp();
  watch.onChange(() => t.fail('it had stopped to listen'))();
  t.false(watch.isServing);
  for (let frame = 0; frame < 10; frame += 1) {
    send();
    ends[frame]?.answer();
    await settle();
    clock.advance(900);
  }
  t.true(watch.isServing);
  t.is(clock.waiting, 1, 'one timer, however many frames');
  clock.advance(99);
  t.deepEqual(heard, [true]);
  clock.advance(1);
  t.false(watch.isServing);
  t.is(clock.waiting, 0);
  send();
  t.deepEqual(heard, [true, false, true]);
});

test('frames that wait for an engine that stands still are served, however long', async (t) => {
  const { clock, watch, ends, heard, send } = setUp();
  send();
  clock.advance(60_000);
  t.true(watch.isServing, 'none was ever answered');
  ends[0]?.answer();
  send();
  await settle();
  clock.advance(60_000);
  t.true(watch.isServing, 'one was answered long ago');
  ends[1]?.fail(new DomainError('deadline', 'too late'));
  await settle();
  clock.advance(1000);
  t.deepEqual(heard, [true, false]);
});

test('pixels that were prepared elsewhere count as frames do', async (t) => {
  const { clock, watch, classifier, ends } = setUp();
  const row = classifier.classifyPixels(new Uint8Array(), {} as Lent);
  t.true(watch.isServing);
  ends[0]?.answer();
  await row;
  clock.advance(1000);
  t.false(watch.isServing);
});
