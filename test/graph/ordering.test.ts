import test from 'ava';
import { createOnnxGraphRunner } from '../../src/engines/index.js';
import { createGraphBuilder } from '../../src/graph/graph-builder.js';
import { startAfter } from '../../src/graph/ordering.js';

test('waiting for other values changes no value, even where those are infinite', async (t) => {
  const builder = createGraphBuilder('order');
  const value = builder.input('value', 'float32', [2, 3]);
  const before = [
    builder.input('first', 'float32', [2, 2, 2]),
    builder.input('second', 'float32', [3]),
  ];
  builder.output('same', startAfter(builder, value, before));
  const runner = await createOnnxGraphRunner(builder.toModel(), { threads: 1 });
  const values = Float32Array.of(1e-38, -3, 7e30, 0.1, 0, 5);
  const { same } = await runner.run({
    value: { type: 'float32', shape: [2, 3], values },
    first: { type: 'float32', shape: [2, 2, 2], values: new Float32Array(8).fill(Infinity) },
    second: { type: 'float32', shape: [3], values: Float32Array.of(-4, 1, 1) },
  });
  t.deepEqual(same!.values, values);
  t.deepEqual(same!.shape, [2, 3]);
  await runner.close();
});

test('nothing to wait for writes nothing', (t) => {
  const builder = createGraphBuilder('order');
  const value = builder.input('value', 'float32', [2]);
  t.is(startAfter(builder, value, []), value);
});
