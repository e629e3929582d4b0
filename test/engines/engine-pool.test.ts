import test from 'ava';
import {
  createEnginePool,
  createFakeEngine,
  type Engine,
  fakeProbabilities,
  type Session,
} from '../../src/engines/index.js';
import { DomainError } from '../../src/errors.js';

const spec = { model: new Uint8Array(0), inputShape: [1, 4, 4], labelCount: 3 } as const;
const pixels = () => new Uint8Array(16).fill(9);

/** A fake engine whose Session's readiness and runs the test sees. */
function seenEngine() {
  const seen = { isReady: true, runs: 0, closed: 0, gate: Promise.resolve() };
  const inner = createFakeEngine();
  const engine: Engine = {
    name: inner.name,
    async load(given): Promise<Session> {
      const session = await inner.load(given);
      return {
        device: session.device,
        precision: session.precision,
        lanes: session.lanes,
        copies: session.copies,
        get isReady() {
          return seen.isReady;
        },
        async run(input, batchSize) {
          seen.runs += 1;
          await seen.gate;
          return session.run(input, batchSize);
        },
        async close() {
          seen.closed += 1;
          await session.close();
        },
      };
    },
    close: () => inner.close(),
  };
  return { engine, seen };
}

function gated() {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { gate, open };
}

test('a pool has the lanes of all its engines and fills each before it doubles one', async (t) => {
  const members = [seenEngine(), seenEngine(), seenEngine()] as const;
  const [first, second, third] = members;
  const pool = createEnginePool([first.engine, second.engine, third.engine]);
  const session = await pool.load(spec);
  t.is(session.lanes, 3);
  t.is(session.device, 'fake/cpu');
  const { gate, open } = gated();
  for (const { seen } of members) seen.gate = gate;
  const runs = Array.from({ length: 6 }, () => session.run(pixels(), 1));
  t.deepEqual(
    members.map(({ seen }) => seen.runs),
    [2, 2, 2],
  );
  open();
  for (const { probabilities } of await Promise.all(runs)) {
    t.deepEqual([...probabilities], [...fakeProbabilities(pixels(), 3)]);
  }
});

test('an engine that restarts gets nothing while another is ready', async (t) => {
  const [well, ill] = [seenEngine(), seenEngine()];
  const session = await createEnginePool([ill.engine, well.engine]).load(spec);
  ill.seen.isReady = false;
  t.true(session.isReady);
  for (let run = 0; run < 3; run += 1) await session.run(pixels(), 1);
  t.deepEqual([ill.seen.runs, well.seen.runs], [0, 3]);
  well.seen.isReady = false;
  t.false(session.isReady);
  await session.run(pixels(), 1); // waits for the restart of one of them
  t.is(ill.seen.runs, 1);
});

test('a run that fails frees its lane', async (t) => {
  const [one, other] = [seenEngine(), seenEngine()];
  const session = await createEnginePool([one.engine, other.engine]).load(spec);
  for (let run = 0; run < 4; run += 1) {
    await t.throwsAsync(session.run(new Uint8Array(5), 1), { code: 'model_failed' });
  }
  const { gate, open } = gated();
  one.seen.gate = gate;
  const held = session.run(pixels(), 1);
  const before = other.seen.runs;
  await session.run(pixels(), 1);
  t.is(other.seen.runs, before + 1);
  open();
  await held;
});

test('a model that one engine refuses is refused, and unloaded where it was loaded', async (t) => {
  const well = seenEngine();
  const refusing: Engine = {
    name: 'fake',
    load: () => Promise.reject(new DomainError('model_failed', 'no such operator')),
    close: async () => {},
  };
  const pool = createEnginePool([well.engine, refusing]);
  await t.throwsAsync(pool.load(spec), { code: 'model_failed', message: 'no such operator' });
  t.is(well.seen.closed, 1);
  await pool.close();
});
