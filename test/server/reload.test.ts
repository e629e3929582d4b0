import test, { type ExecutionContext } from 'ava';
import { connect } from '../../src/client/index.js';
import { createEnginePool, type Engine, fakeProbabilities } from '../../src/engines/index.js';
import { DomainError } from '../../src/errors.js';
import type { Frame } from '../../src/frames/index.js';
import { openPuppetEngine } from '../engines/puppet-engine.js';
import { smallFrame, smallLabels } from '../small-frames.js';
import { startSmallServer } from '../small-server.js';

const refusal = 'a model could not be loaded again';
const isBack = 'a model is loaded again';

async function start(t: ExecutionContext, engine: Engine) {
  const { server, address } = await startSmallServer(t, { engine });
  const client = connect(address);
  t.teardown(() => client.close());
  const readyz = async () => (await fetch(`http://127.0.0.1:${server.httpPort}/readyz`)).text();
  return { client, readyz };
}

/** Of `smallFrame(id, seed)`. */
const expectedOf = (seed: number) => [
  ...fakeProbabilities(
    Buffer.concat(smallFrame('', seed).planes.map(({ bytes }) => bytes)),
    smallLabels.length,
  ),
];

test('a server whose only engine has its model not loaded again is not ready until it has', async (t) => {
  const { engine, crash, order, told } = await openPuppetEngine(t);
  const { client, readyz } = await start(t, engine);
  t.is(await readyz(), 'ok\n');
  order('refused', 1);
  const refused = told(refusal);
  await crash();
  await refused;
  t.is(await readyz(), 'no live model is ready\n');
  await t.throwsAsync(client.classifyFrame(smallFrame('a', 1)), { code: 'not_ready' });
  t.is(await readyz(), 'no live model is ready\n');
  order('elsewhere', 1);
  const back = told(isBack);
  order('refused', 0);
  await back;
  t.is(await readyz(), 'ok\n');
  const { prediction, model } = await client.classifyFrame(smallFrame('a', 1));
  t.deepEqual([...prediction.probabilities], expectedOf(1));
  t.is(model.device, 'puppet/gpu+cpu');
  t.is((await client.getModel('cells')).device, 'puppet/gpu+cpu');
});

test('a model that answers otherwise after a restart is loaded once more before it serves', async (t) => {
  const { engine, crash, order, told } = await openPuppetEngine(t);
  const { client, readyz } = await start(t, engine);
  order('wrongRuns', 1);
  const refused = told(refusal);
  await crash();
  t.regex(DomainError.from((await refused)['error']).message, /^its golden frame gave /);
  const { prediction } = await client.classifyFrame(smallFrame('a', 1));
  t.deepEqual([...prediction.probabilities], expectedOf(1));
  t.is(await readyz(), 'ok\n');
});

test('no frame is lost where one of two engines cannot load its model again', async (t) => {
  const [well, ill] = [await openPuppetEngine(t), await openPuppetEngine(t)];
  const { client, readyz } = await start(t, createEnginePool([well.engine, ill.engine]));
  ill.order('refused', 1);
  const frames = async function* (): AsyncGenerator<Frame> {
    for (let index = 0; index < 300; index += 1) {
      if (index === 100) {
        const refused = ill.told(refusal);
        await ill.crash();
        await refused;
      }
      yield smallFrame(`${index}`, index);
    }
  };
  const seen = new Set<number>();
  for await (const reply of client.classify({ model: 'cells' }, frames())) {
    if (reply.kind === 'model') continue;
    const { outcome, frameId, probabilities, message } = reply.prediction;
    t.is(outcome, 'ok', message);
    t.deepEqual([...probabilities], expectedOf(Number(frameId)));
    seen.add(Number(frameId));
  }
  t.is(seen.size, 300);
  t.is(await readyz(), 'ok\n');
});
