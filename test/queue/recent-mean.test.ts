import test from 'ava';
import { createRecentMean } from '../../src/queue/index.js';

test('a mean is unknown before any value, then the first, and follows what comes', (t) => {
  const mean = createRecentMean();
  t.is(mean.value, undefined);
  mean.add(10);
  t.is(mean.value, 10);
  for (let count = 0; count < 20; count += 1) mean.add(20);
  t.true((mean.value ?? 0) > 19.8 && (mean.value ?? 0) < 20, `${mean.value}`);
});
