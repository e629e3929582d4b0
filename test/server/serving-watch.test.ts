import test from 'ava';
import { createServingWatch } from '../../src/server/serving-watch.js';

test('serving is told once at its first answer, and once when answers have ceased', async (t) => {
  const watch = createServingWatch({ quietMs: 20 });
  t.false(watch.isServing);
  const heard: boolean[] = [];
  const forgetEarly = watch.onChange(() => t.fail('it had stopped to listen'));
  forgetEarly();
  const ceased = new Promise<void>((resolve) => {
    watch.onChange((isServing) => {
      heard.push(isServing);
      if (!isServing) resolve();
    });
  });
  for (let frame = 0; frame < 10; frame += 1) watch.answered();
  t.true(watch.isServing);
  // The watch's own timer keeps no process alive.
  const alive = setInterval(() => {}, 1000);
  await ceased;
  clearInterval(alive);
  t.false(watch.isServing);
  t.deepEqual(heard, [true, false]);
  watch.answered();
  t.deepEqual(heard, [true, false, true]);
});
