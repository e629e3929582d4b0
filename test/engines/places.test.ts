import test from 'ava';
import { openAtPlace, placesOf } from '../../src/engines/places.js';

test('a graph goes to a device alone, then with its helpers, and last with the CPU', (t) => {
  const seen = (device: Parameters<typeof placesOf>[0]) =>
    placesOf(device).map(({ name, isStrict, options: { executionProviders, config } }) => [
      ...[name, isStrict, executionProviders.join()],
      config['disable_cpu_ep_fallback'] ?? 'the CPU may help',
    ]);
  t.deepEqual(seen('cpu'), [['cpu', true, 'cpu', 'the CPU may help']]);
  t.deepEqual(seen('cuda'), [
    ['cuda', true, 'cuda', '1'],
    ['cuda+cpu', false, 'cuda', 'the CPU may help'],
  ]);
  t.deepEqual(seen('tensorrt'), [
    ['tensorrt', true, 'tensorrt', '1'],
    ['tensorrt+cuda', true, 'tensorrt,cuda', '1'],
    ['tensorrt+cuda+cpu', false, 'tensorrt,cuda', 'the CPU may help'],
  ]);
});

test('where a graph came to lie is told, with what else runs parts of it', async (t) => {
  const refusing = (times: number) => {
    let left = times;
    return async () => {
      left -= 1;
      if (left >= 0) throw new Error(`refused, ${left} to go`);
      return 'a session';
    };
  };
  t.deepEqual(await openAtPlace('tensorrt', refusing(0)), {
    ...{ opened: 'a session', place: 'tensorrt', note: '' },
  });
  t.deepEqual(await openAtPlace('tensorrt', refusing(1)), {
    ...{ opened: 'a session', place: 'tensorrt+cuda', note: 'parts of it run on cuda' },
  });
  t.like(await openAtPlace('tensorrt', refusing(2)), {
    ...{ place: 'tensorrt+cuda+cpu', note: 'parts of it run on cuda and cpu' },
  });
  t.like(await openAtPlace('cpu', refusing(0)), { place: 'cpu', note: '' });
  // What is wrong with the graph itself, and not with where it should go.
  await t.throwsAsync(openAtPlace('cuda', refusing(9)), { message: 'refused, 7 to go' });
});
