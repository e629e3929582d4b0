import test, { type ExecutionContext } from 'ava';
import { createBatcher, type Priority } from '../../src/batching/index.js';
import { createClassifier, type Lent } from '../../src/classify/index.js';
import { createFakeEngine } from '../../src/engines/index.js';
import { createPreparer, type Frame, type Preparer } from '../../src/frames/index.js';
import { watch } from '../batching/puppet-run.js';
import { pngFrame, spec } from '../frames/frames-for-tests.js';

const floodingStreams = 8;

/** Eight streams that have sent 40 frames of PNG each, to one thread that prepares them. */
async function startFlood(t: ExecutionContext) {
  const session = await createFakeEngine().load({
    model: new Uint8Array(),
    inputShape: [4, 128, 128],
    labelCount: 2,
  });
  const real = createPreparer({ threads: 1, maxQueuedFrames: 256 });
  t.teardown(() => real.close());
  const prepared: string[] = [];
  const preparer: Pick<Preparer, 'prepare'> = {
    async prepare(...given) {
      const answer = await real.prepare(...given);
      prepared.push(given[0].id);
      return answer;
    },
  };
  const lent: Lent = {
    manifest: { name: 'cells', version: 1, thresholds: [0, 0], inputSpec: spec },
    batcher: createBatcher({ batchSizes: [1, 4] }, session),
  };
  const classifier = createClassifier({ preparer });
  const sample = await pngFrame(64);
  // Each of its own bytes, for they are moved to the thread.
  const frameOf = (id: string): Frame => ({
    ...sample,
    id,
    planes: sample.planes.map(({ channel, bytes }) => ({ channel, bytes: bytes.slice() })),
  });
  const leave = new AbortController();
  t.teardown(() => leave.abort());
  const flood = Array.from({ length: 40 * floodingStreams }, (_, at) => {
    const way = { streamId: `${at % floodingStreams}`, whenFull: 'dropOldest' as const };
    return watch(classifier.classify(frameOf('fast'), lent, { ...way, signal: leave.signal }));
  });
  /** How many of the flood are prepared before a frame of another stream that comes now. */
  const preparedBefore = async (id: string, priority: Priority): Promise<number> => {
    const from = prepared.length;
    const way = { streamId: 'slow', priority, whenFull: 'dropOldest' as const };
    await classifier.classify(frameOf(id), lent, way);
    return prepared.indexOf(id) - from;
  };
  return { flood, preparedBefore };
}

test('a flood of PNG frames delays a slow stream by two of each other stream at most, and sheds none of its frames', async (t) => {
  const { flood, preparedBefore } = await startFlood(t);
  for (const id of ['a', 'b', 'c', 'd', 'e']) {
    // And the one that is prepared already.
    t.true((await preparedBefore(id, 'normal')) <= 1 + 2 * floodingStreams, id);
  }
  const shed = flood.filter(({ error }) => error !== undefined);
  t.is(shed.length, flood.length - 1 - 256 + 1, 'what was too much, and one for the slow stream');
  t.true(flood.filter(({ settled }) => settled === 0).length > 100, 'the flood went on');
});

test('a frame of high priority is prepared next, whatever waits', async (t) => {
  const { preparedBefore } = await startFlood(t);
  for (const id of ['a', 'b', 'c']) t.true((await preparedBefore(id, 'high')) <= 1, id);
});
