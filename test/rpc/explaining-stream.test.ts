import test from 'ava';
import { createClassifier } from '../../src/classify/index.js';
import { createOnnxEngine } from '../../src/engines/index.js';
import { createPreparer } from '../../src/frames/index.js';
import type { Handle } from '../../src/models/index.js';
import { openExplainable } from '../models/explainable.js';
import { collect, openTestPort, tinyFrame } from './fakes.js';

test('a blocking stream whose every frame asks for an explanation loses none', async (t) => {
  const registry = await openExplainable(t, await createOnnxEngine({ threads: 1 }));
  const preparer = createPreparer({ threads: 1 });
  t.teardown(() => preparer.close());
  const classifier = createClassifier({ preparer });
  const { client } = await openTestPort(t, {
    lender: registry,
    classifier: {
      // Every handle is one that the registry lent.
      classify: (frame, handle, options) =>
        classifier.classify(frame, handle as unknown as Handle, options),
    },
  });
  const explain = { labels: ['a', 'b', 'c', 'd', 'e'], embedding: true };
  const frames = Array.from({ length: 64 }, (_, at) => ({ ...tinyFrame(`${at}`, at), explain }));
  const replies = await collect(client.classify({ model: 'cells@1' }, frames));
  const answers = replies.flatMap((reply) =>
    reply.kind === 'prediction' ? [reply.prediction] : [],
  );
  t.deepEqual(
    answers.map(({ outcome, message }) => `${outcome} ${message}`),
    Array(64).fill('ok '),
  );
  t.deepEqual(new Set(answers.map(({ explanation }) => explanation?.maps.length)), new Set([5]));
});
