import test from 'ava';
import type { Engine } from '../../src/engines/index.js';
import { createFakeEngine, withGraphs } from '../../src/engines/index.js';

const graph = { model: new Uint8Array(), files: {} };

/** An engine that runs graphs, and counts how often it was closed or abandoned. */
function countingEngine() {
  let closed = 0;
  let abandoned = 0;
  const engine: Engine = {
    ...createFakeEngine(),
    loadGraph: async () => ({ run: async () => ({}), close: async () => {} }) as never,
    async close() {
      closed += 1;
    },
    abandon() {
      abandoned += 1;
      return 2;
    },
  };
  return {
    engine,
    get closed() {
      return closed;
    },
    get abandoned() {
      return abandoned;
    },
  };
}

/** An engine that starts when the test says so. */
function slowStart() {
  const beside = countingEngine();
  let begin!: () => void;
  const begun = new Promise<Engine>((resolve) => {
    begin = () => resolve(beside.engine);
  });
  return { beside, start: () => begun, begin };
}

test('the models keep the batch sizes, the precision and the place of resizing of their engine', (t) => {
  const own = { precision: 'half', resize: 'means', batchSizes: [1, 64] } as const;
  t.like(
    withGraphs({ ...createFakeEngine(), ...own }, () => t.fail() as never),
    { name: 'fake', ...own },
  );
});

for (const end of ['close', 'abandon'] as const) {
  test(`${end}: what is asked for afterwards starts no engine`, async (t) => {
    const engine = withGraphs(createFakeEngine(), () => t.fail() as never);
    await engine[end]?.();
    await t.throwsAsync(engine.loadGraph!(graph), { code: 'not_ready' });
  });
}

test('close does not wait for a start before it closes the other engine; a late one closes itself', async (t) => {
  const { beside, start, begin } = slowStart();
  const own = countingEngine();
  const { loadGraph: _, ...modelsAlone } = own.engine;
  const engine = withGraphs(modelsAlone, start);
  const asked = engine.loadGraph!(graph);
  const closing = engine.close();
  t.is(own.closed, 1);
  begin();
  await t.throwsAsync(asked, { code: 'not_ready' });
  await closing;
  t.is(beside.closed, 1);
});

test('abandon ends what waits for a start, leaves close nothing to wait for, and a late one closes itself', async (t) => {
  const { beside, start, begin } = slowStart();
  const engine = withGraphs(createFakeEngine(), start);
  const asked = [engine.loadGraph!(graph), engine.loadGraph!(graph)];
  t.is(engine.abandon?.(), 2);
  for (const each of asked) await t.throwsAsync(each, { code: 'not_ready' });
  await engine.close();
  t.is(beside.closed, 0);
  begin();
  while (beside.closed === 0) await new Promise((resolve) => setImmediate(resolve));
  t.is(beside.closed, 1);
});

test('both engines are closed, and both abandoned', async (t) => {
  const own = countingEngine();
  const beside = countingEngine();
  const { loadGraph: _, ...modelsAlone } = own.engine;
  const engine = withGraphs(modelsAlone, async () => beside.engine);
  await engine.loadGraph!(graph);
  t.is(engine.abandon?.(), 4);
  await engine.close();
  t.deepEqual([own.abandoned, beside.abandoned], [1, 1]);
  t.deepEqual([own.closed, beside.closed], [1, 1]);
});
