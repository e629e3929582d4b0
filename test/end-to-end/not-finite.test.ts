import { join } from 'node:path';
import type { ServiceError } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import test from 'ava';
import type { Frame } from '../../src/frames/index.js';
import { createGraphBuilder } from '../../src/graph/graph-builder.js';
import { openModelStore } from '../../src/models/index.js';
import { makeFolder } from '../make-folder.js';
import { smallFrame } from '../small-frames.js';
import { fakeDraft } from '../small-server.js';
import { startServe } from './serve.js';

const given = [0.25, 0.5, 0.75];

/** Gives every frame the same, but 0 / 0 to one whose mean level is 100. */
function onnxWithGap(): Uint8Array {
  const builder = createGraphBuilder('gap');
  const pixels = builder.input('pixels', 'uint8', ['N', 4, 8, 8]);
  const floats = builder.node('Cast', [pixels], ['float32', pixels.shape], { to: 1 });
  const axes = builder.integers(1, 2, 3);
  const means = builder.node('ReduceMean', [floats, axes], ['float32', ['N', 1, 1, 1]]);
  const flat = builder.node('Flatten', [means], ['float32', ['N', 1]]);
  const away = builder.node('Sub', [flat, builder.scalar(100)], ['float32', ['N', 1]]);
  const one = builder.node('Div', [away, away], ['float32', ['N', 1]]);
  const row = builder.node('Mul', [one, builder.floats(...given)], ['float32', ['N', 3]]);
  builder.output('probabilities', row);
  return builder.toModel();
}

const flatFrame = (id: string, level: number): Frame => {
  const frame = smallFrame(id, 1);
  const planes = frame.planes.map((plane) => ({ ...plane, bytes: new Uint8Array(64).fill(level) }));
  return { ...frame, planes };
};

for (const processes of [1, 2]) {
  test(`a frame that is given NaN fails alone, with ${processes} I/O processes`, async (t) => {
    const folder = await makeFolder(t);
    const models = join(folder, 'models');
    const store = await openModelStore(models);
    const draft = fakeDraft('cells');
    const golden = { ...draft.golden, output: Float32Array.from(given) };
    await store.publish({ ...draft, model: onnxWithGap(), golden });
    await store.setAlias('cells', 'live', 1);
    const { client, httpPort, waitFor } = await startServe(t, [
      ...['--models', models, '--runs', join(folder, 'runs'), '--engine-workers', '1'],
      ...['--io-processes', `${processes}`, '--prepare-threads', '1', '--batch-sizes', '4'],
    ]);

    const levels = Array.from({ length: 40 }, (_, at) => 80 + at);
    const frames = levels.map((level) => flatFrame(`level ${level}`, level));
    const answers = new Map<string, { outcome: string; message: string }>();
    for await (const reply of client.classify({ model: 'cells' }, frames)) {
      if (reply.kind !== 'prediction') continue;
      const { frameId, outcome, message, probabilities } = reply.prediction;
      answers.set(frameId, { outcome, message });
      if (outcome === 'ok') t.deepEqual([...probabilities], given);
      else t.is(probabilities.length, 0);
    }
    const message =
      'expected finite numbers, cells@1 gave NaN for label 1 of 3: use another version, or --precision full where it is served in half';
    for (const level of levels) {
      const expected =
        level === 100 ? { outcome: 'failed', message } : { outcome: 'ok', message: '' };
      t.deepEqual(answers.get(`level ${level}`), expected);
    }

    await waitFor(/"frame":"level 100".*cells@1 gave NaN.*"msg":"frame failed"/);

    const error = await t.throwsAsync(client.classifyFrame(flatFrame('alone', 100)), {
      code: 'answer_invalid',
      message,
    });
    t.is((error.cause as ServiceError).code, status.INTERNAL);
    const text = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text();
    const counted = (outcome: string) =>
      new RegExp(
        `^cytostream_frames_total\\{model="cells",version="1",outcome="${outcome}"\\} (\\d+)$`,
        'm',
      )
        .exec(text)
        ?.at(1);
    t.is(counted('ok'), '39');
    t.is(counted('failed'), '2');
  });
}
