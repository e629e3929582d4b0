import test from 'ava';
import { connect } from '../../src/client/index.js';
import { createOnnxEngine, createOnnxGraphRunner, type Engine } from '../../src/engines/index.js';
import { createPreparer, type Frame, type InputSpec } from '../../src/frames/index.js';
import { buildInference, initialiseParameters, type Network } from '../../src/graph/index.js';
import { silentLog } from '../../src/log.js';
import { createGoldenFrame, openModelStore } from '../../src/models/index.js';
import { startServer } from '../../src/server.js';
import { simulateCells } from '../../src/simulator/index.js';
import { makeFolder } from '../make-folder.js';
import { smallInput, smallLabels } from '../small-frames.js';
import { smallConfig } from '../small-server.js';

const inputSpec: InputSpec = { ...smallInput, widthPx: 64, heightPx: 64, resize: 'area' };
const network: Network = {
  name: 'resized',
  inputShape: [4, 64, 64],
  layers: [
    { kind: 'conv', name: 'conv1', filters: 4, kernelPx: 3 },
    { kind: 'relu' },
    { kind: 'flatten' },
    { kind: 'dense', name: 'dense1', units: smallLabels.length },
  ],
};
const model = buildInference(network, initialiseParameters(network, 5));

async function answerOf(pixels: Uint8Array): Promise<Float32Array> {
  const runner = await createOnnxGraphRunner(model, { threads: 1 });
  const shape = [1, ...network.inputShape];
  const outputs = await runner.run({ pixels: { type: 'uint8', shape, values: pixels } });
  await runner.close();
  return Float32Array.from(outputs['probabilities']?.values ?? [], Number);
}

/** Cells as a camera of 12 bits gives them. */
function inTwelveBits(frame: Frame): Frame {
  const planes = frame.planes.map(({ channel, bytes }) => {
    const pixels = Uint16Array.from(bytes, (level, at) => level * 16 + (at % 16));
    return { channel, bytes: new Uint8Array(pixels.buffer) };
  });
  return { ...frame, pixelType: 'uint16', significantBits: 12, planes };
}

function inFloat(frame: Frame): Frame {
  const planes = frame.planes.map(({ channel, bytes }) => {
    const pixels = Float32Array.from(bytes, (level) => level / 255);
    return { channel, bytes: new Uint8Array(pixels.buffer) };
  });
  return { ...frame, pixelType: 'float32', planes };
}

const copyOf = (frame: Frame): Frame => ({
  ...frame,
  planes: frame.planes.map(({ channel, bytes }) => ({ channel, bytes: bytes.slice() })),
});

test('through the server raw planes are resized in the graph, told by the log and GetModel, with the answers of the CPU', async (t) => {
  t.timeout(120_000);
  const real = await createOnnxEngine({ threads: 1, resize: 'graph' });
  let rawRows = 0;
  let openLanes = 0;
  const engine: Engine = {
    ...real,
    async load(spec) {
      const session = await real.load(spec);
      if (!spec.raw) return session;
      const run: typeof session.run = (input, batchSize) => {
        rawRows += batchSize;
        return session.run(input, batchSize);
      };
      openLanes += 1;
      const close = async () => {
        openLanes -= 1;
        await session.close();
      };
      return { ...session, run, close };
    },
  };
  const settings = smallConfig(await makeFolder(t));
  const store = await openModelStore(settings.modelsDir);
  const golden = createGoldenFrame(inputSpec);
  const draft = { name: 'cells', model, labels: smallLabels, inputSpec };
  await store.publish({
    ...draft,
    thresholds: smallLabels.map(() => 0.5),
    thresholdsSource: 'default 0.5',
    ...{ scores: null, runId: null, datasetFingerprint: null, parent: null },
    golden: { frame: golden, output: [...(await answerOf(golden))] },
  });
  await store.setAlias('cells', 'live', 1);
  const waiting = new Map<string, () => void>();
  /** Resolves when the log says that these planes are resized in the graph. */
  const inGraph = (planes: string) =>
    new Promise<void>((resolve) => {
      waiting.set(planes, resolve);
    });
  const log = {
    ...silentLog,
    info(fields: object, message: string) {
      if (message !== 'raw planes are resized in the graph' || !('planes' in fields)) return;
      waiting.get(String(fields.planes))?.();
    },
  };
  const server = await startServer(settings, { engine, log });
  t.teardown(() => server.close());
  const client = connect(`127.0.0.1:${server.port}`);
  t.teardown(() => client.close());
  const preparer = createPreparer({ threads: 1 });
  t.teardown(() => preparer.close());

  const classify = async (frames: readonly Frame[]) => {
    const sent = frames.map((frame, at) => ({ ...copyOf(frame), id: `${at}` }));
    const answers = [];
    for await (const reply of client.classify({ model: 'cells', delivery: 'inOrder' }, sent)) {
      if (reply.kind !== 'model') answers.push(reply.prediction);
    }
    return answers;
  };
  const simulated = (sizePx: number, seed: number) => simulateCells({ seed, labels: [0], sizePx });
  const kinds = [
    ['512 x 512 uint8', [1, 2, 3, 4, 5].map((seed) => simulated(512, seed))],
    ['1024 x 1024 uint16 of 12 bits', [6, 7].map((seed) => inTwelveBits(simulated(1024, seed)))],
  ] as const;
  for (const [planes, frames] of kinds) {
    const opened = inGraph(planes);
    const [first] = await classify(frames.slice(0, 1));
    await opened;
    const before = rawRows;
    const answers = await classify(frames);
    t.true(
      rawRows - before >= frames.length,
      'each of them was in a batch of the graph that resizes',
    );
    t.deepEqual(answers[0]?.qualityFlags, first?.qualityFlags);
    for (const [at, { outcome, message, probabilities }] of answers.entries()) {
      t.is(outcome, 'ok', message);
      const { pixels } = await preparer.prepare(copyOf(frames[at]!), inputSpec);
      const expected = await answerOf(pixels);
      for (const [label, value] of expected.entries()) {
        t.true(Math.abs(value - (probabilities[label] ?? Number.NaN)) < 1e-6);
      }
    }
  }
  t.is(
    (await client.getModel('cells')).resizeNote,
    '512 x 512 uint8 in the graph; 1024 x 1024 uint16 of 12 bits in the graph',
  );

  // Others take the CPU's way, in the same stream.
  const before = rawRows;
  const [other] = kinds[0][1];
  const odd = simulated(300, 8);
  const answers = await classify([inFloat(other!), odd, { ...odd, planes: odd.planes.slice(1) }]);
  t.deepEqual(
    answers.map(({ outcome }) => outcome),
    ['ok', 'ok', 'invalid'],
  );
  t.is(rawRows, before);

  t.is(openLanes, 2, 'no third, for both were used just now');
  await server.close();
  t.is(openLanes, 0, 'they end with their version');
});
