import test from 'ava';
import { createEnginePool, fakeProbabilities, type SessionSpec } from '../../src/engines/index.js';
import { DomainError } from '../../src/errors.js';
import { openPuppetEngine } from './puppet-engine.js';

const specOf = (version: number): SessionSpec => ({
  ...{ model: new Uint8Array(1), name: 'cells', version },
  ...{ inputShape: [1, 4, 4], labelCount: 3 },
});
const pixels = () => new Uint8Array(16).fill(9);
const expected = [...fakeProbabilities(pixels(), 3)];
const refusal = 'a model could not be loaded again';
const isBack = 'a model is loaded again';

test('a session that is refused after a restart is not ready, and is tried until it is loaded', async (t) => {
  const { engine, crash, order, told, seen } = await openPuppetEngine(t);
  const ill = await engine.load(specOf(1));
  const well = await engine.load(specOf(2));
  order('refused', 1);
  const refusals = [told(refusal), told('the engine worker is back')];
  await crash();
  const [line] = await Promise.all(refusals);
  t.like(line, { model: 'cells', version: 1, delayMs: 5 });
  t.is(DomainError.from(line?.['error']).message, 'out of memory');
  t.false(ill.isReady);
  t.true(well.isReady);
  t.deepEqual([...(await well.run(pixels(), 1)).probabilities], expected);
  // Waits for the next attempt, as for a worker that restarts.
  await t.throwsAsync(ill.run(pixels(), 1), {
    instanceOf: DomainError,
    code: 'not_ready',
    message: 'the model cannot be loaded again yet; try again',
  });
  t.true(Number((await told(refusal))['delayMs']) > 5, 'the pause grows');
  t.false(ill.isReady);
  const back = told(isBack);
  order('refused', 0);
  t.like(await back, { model: 'cells', version: 1, device: 'puppet/gpu' });
  t.true(ill.isReady);
  t.deepEqual([...(await ill.run(pixels(), 1)).probabilities], expected);
  t.is(seen('loaded'), 2);
});

test('a run waits for the attempt that loads its model', async (t) => {
  const { engine, crash, order, told } = await openPuppetEngine(t);
  const session = await engine.load(specOf(1));
  order('refused', 1);
  const refused = told(refusal);
  await crash();
  await refused;
  order('refused', 0);
  t.deepEqual([...(await session.run(pixels(), 1)).probabilities], expected);
});

test('a session that is closed while it is refused is not loaded again', async (t) => {
  const { engine, crash, order, told, seen } = await openPuppetEngine(t);
  const closed = await engine.load(specOf(1));
  const other = await engine.load(specOf(1));
  order('refused', 1);
  const refused = told('the engine worker is back');
  await crash();
  await refused;
  await closed.close();
  await t.throwsAsync(closed.run(pixels(), 1), { code: 'not_ready' });
  const back = told(isBack);
  order('refused', 0);
  await back;
  await other.run(pixels(), 1); // whose pause began later
  t.is(seen('loaded'), 1);
});

test('a model that a restart brings to another device says so, and the warning is told', async (t) => {
  const { engine, crash, order, told } = await openPuppetEngine(t);
  const session = await engine.load(specOf(1));
  t.is(session.device, 'puppet/gpu');
  order('elsewhere', 1);
  const warned = told('parts of it run on cpu');
  await crash();
  await session.run(pixels(), 1);
  t.is(session.device, 'puppet/gpu+cpu');
  t.like(await warned, { model: 'cells', device: 'puppet/gpu+cpu' });
});

test('a session is ready after a restart once its check has passed, one after the other', async (t) => {
  const { engine, crash, told, seen } = await openPuppetEngine(t);
  const first = await engine.load(specOf(1));
  const second = await engine.load(specOf(2));
  const checks: boolean[] = [];
  first.onReload?.(async (run) => {
    checks.push(first.isReady);
    await run(new Uint8Array(32), 2);
    if (checks.length === 1) throw new DomainError('model_failed', 'it answers otherwise');
  });
  let pass = () => {};
  const passed = new Promise<void>((resolve) => {
    pass = resolve;
  });
  second.onReload?.(() => passed);
  const refused = told(refusal);
  await crash();
  t.is(DomainError.from((await refused)['error']).message, 'it answers otherwise');
  await first.run(pixels(), 1);
  t.deepEqual(checks, [false, false], 'it was loaded once more, and not ready before');
  t.false(second.isReady);
  const waiting = second.run(pixels(), 1);
  pass();
  await waiting;
  t.true(second.isReady);
  t.is(seen('rows'), 6, 'two checks of two rows, and two runs');
  t.is(seen('loaded'), 2, 'what failed its check was unloaded');
});

test('a pool gives nothing to an engine that has the model not loaded again', async (t) => {
  const well = await openPuppetEngine(t);
  const ill = await openPuppetEngine(t);
  const session = await createEnginePool([ill.engine, well.engine]).load(specOf(1));
  ill.order('refused', 1);
  const refused = ill.told(refusal);
  await ill.crash();
  await refused;
  t.true(session.isReady);
  for (let run = 0; run < 20; run += 1) {
    const { probabilities } = await session.run(pixels(), 1);
    t.deepEqual([...probabilities], expected);
  }
  t.deepEqual([ill.seen('rows'), well.seen('rows')], [0, 20]);
  ill.order('elsewhere', 1);
  const back = ill.told(isBack);
  ill.order('refused', 0);
  await back;
  t.is(session.device, 'puppet/gpu+cpu and puppet/gpu');
  await Promise.all([session.run(pixels(), 1), session.run(pixels(), 1)]);
  t.deepEqual([ill.seen('rows'), well.seen('rows')], [1, 21]);
});
