import test from 'ava';
import { connect } from '../../src/client/index.js';
import { createOnnxEngine, createOnnxGraphRunner } from '../../src/engines/index.js';
import { createRemoteEngine } from '../../src/engines/remote-engine.js';
import type { Frame } from '../../src/frames/index.js';
import { buildInference, initialiseParameters, type Network } from '../../src/graph/index.js';
import { createGoldenFrame, type VersionDraft } from '../../src/models/index.js';
import { smallInput, smallLabels, smallRows } from '../small-frames.js';
import { startSmallServer } from '../small-server.js';

const network: Network = {
  name: 'half',
  inputShape: [4, 8, 8],
  layers: [
    { kind: 'conv', name: 'conv1', filters: 8, kernelPx: 3 },
    { kind: 'relu' },
    { kind: 'flatten' },
    { kind: 'dense', name: 'dense1', units: smallLabels.length },
  ],
};

async function answerOf(model: Uint8Array, pixels: Uint8Array): Promise<readonly number[]> {
  const runner = await createOnnxGraphRunner(model, { threads: 1 });
  const shape = [1, ...network.inputShape];
  const outputs = await runner.run({ pixels: { type: 'uint8', shape, values: pixels } });
  await runner.close();
  return Array.from(outputs['probabilities']?.values ?? [], Number);
}

function frameOf(pixels: Uint8Array): Frame {
  const planes = smallInput.channels.map((channel, at) => ({
    channel,
    bytes: pixels.subarray(at * 64, (at + 1) * 64),
  }));
  const about = { pixelType: 'uint8', significantBits: 0, encoding: 'raw' } as const;
  return { id: 'a', widthPx: 8, heightPx: 8, ...about, planes };
}

test('half precision is told in the first reply, GetModel and metrics, here and by whoever asks here', async (t) => {
  const model = buildInference(network, initialiseParameters(network, 5));
  const golden = createGoldenFrame(smallInput);
  const draft: VersionDraft = {
    name: 'cells',
    model,
    labels: smallLabels,
    inputSpec: smallInput,
    thresholds: smallLabels.map(() => 0.5),
    thresholdsSource: 'default 0.5',
    scores: null,
    runId: null,
    datasetFingerprint: null,
    parent: null,
    golden: { frame: golden, output: await answerOf(model, golden) },
  };
  const far = await startSmallServer(t, {
    engine: await createOnnxEngine({ threads: 1, precision: 'half' }),
    drafts: [draft],
  });
  // Its golden frame comes out over there as half precision has it.
  const near = await startSmallServer(t, {
    engine: createRemoteEngine({ remote: far.address }),
    drafts: [draft],
  });
  // As processes that share a port ask: the device is that of the one with the engine.
  const beside = await startSmallServer(t, {
    engine: createRemoteEngine({ remote: far.address, asksForVersions: true }),
    drafts: [draft],
  });
  const pixels = smallRows(1, 3);
  const expected = await answerOf(model, pixels);
  for (const [{ server, address }, device] of [
    [far, 'onnxruntime/cpu'],
    [near, `remote/${far.address}`],
    [beside, 'onnxruntime/cpu'],
  ] as const) {
    const client = connect(address);
    t.teardown(() => client.close());
    for await (const reply of client.classify({ model: 'cells' }, [frameOf(pixels)])) {
      if (reply.kind === 'model') {
        t.is(reply.model.precision, 'half');
        t.is(reply.model.device, device);
        continue;
      }
      const { outcome, probabilities, message } = reply.prediction;
      t.is(outcome, 'ok', message);
      const away = expected.map((value, at) => Math.abs(value - (probabilities[at] ?? 9)));
      t.true(Math.max(...away) < 1e-3);
      t.true(Math.max(...away) > 0, 'to the last bit it would be full precision');
    }
    t.like(await client.getModel('cells'), { precision: 'half', precisionNote: '', device });
    const { text } = await server.parts.metrics.expose();
    t.true(text.includes(`state="ready",device="${device}",precision="half",live="true"`), text);
  }
});
