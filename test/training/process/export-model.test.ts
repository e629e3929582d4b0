import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { createOnnxGraphRunner } from '../../../src/engines/index.js';
import { buildTrainingStep, initialiseParameters, type Network } from '../../../src/graph/index.js';
import { exportModel } from '../../../src/training/process/export-model.js';
import {
  createBatchBuffers,
  type FrameSet,
  gatherBatch,
} from '../../../src/training/process/frame-set.js';
import { memorySource, toShared } from '../../../src/training/process/frame-source.js';
import { exportFiles } from '../../../src/training/process/messages.js';
import { runOver } from '../../../src/training/process/run-over.js';
import { createStepRunner } from '../../../src/training/step-runner.js';
import { makeFolder } from '../../make-folder.js';
import { createSimulatedSet } from './simulated-set.js';

const sizePx = 40;
const network: Network = {
  name: 'small',
  inputShape: [4, sizePx, sizePx],
  layers: [
    { kind: 'conv', name: 'conv1', filters: 8, kernelPx: 3 },
    { kind: 'relu' },
    { kind: 'maxPool', sizePx: 2 },
    { kind: 'conv', name: 'conv2', filters: 16, kernelPx: 3 },
    { kind: 'relu' },
    { kind: 'maxPool', sizePx: 2 },
    { kind: 'flatten' },
    { kind: 'dense', name: 'dense1', units: 24 },
    { kind: 'relu' },
    { kind: 'dense', name: 'dense2', units: 4 },
  ],
};

/** Trains the network until it tells the structures apart; returns its weights and last loss. */
async function train(training: FrameSet) {
  const batchSize = 20;
  const step = buildTrainingStep(network, { batchSize });
  const graph = await createOnnxGraphRunner(step.model, { threads: 1 });
  try {
    const state = initialiseParameters(network, 1);
    const runner = createStepRunner({ step, state, seed: 1 }, { runner: graph });
    const buffers = createBatchBuffers(training, batchSize);
    const batches = training.frames.length / batchSize;
    let loss = 0;
    for (let epoch = 0; epoch < 12; epoch += 1) {
      for (let batch = 0; batch < batches; batch += 1) {
        // 7 and the number of frames have no factor in common: every frame comes once.
        const rows = Array.from(
          { length: batchSize },
          (_, at) => ((batch * batchSize + at) * 7 + epoch) % training.frames.length,
        );
        ({ loss } = await runner.run(gatherBatch(training, rows, buffers), 3e-3));
      }
    }
    const parameters = new Map(
      [...runner.parameters()].map(([name, { shape, values }]) => [
        name,
        { shape, values: values.slice() },
      ]),
    );
    return { parameters, loss };
  } finally {
    await graph.close();
  }
}

const changed = (
  set: FrameSet,
  change: (frame: Uint8Array, at: number) => Uint8Array,
): FrameSet => {
  const pixels = set.places.map((place, at) => {
    const frame = new Uint8Array(set.frameBytes);
    set.source.read(place, frame);
    return change(frame, at);
  });
  return {
    ...set,
    source: memorySource(pixels.map(toShared), set.frameBytes),
    places: [...pixels.keys()],
  };
};

test('frames of another kind lie beyond the threshold, frames like the training do not', async (t) => {
  const training = createSimulatedSet(200, sizePx, 1);
  const validation = createSimulatedSet(80, sizePx, 1001);
  const { parameters, loss } = await train(training);
  t.true(loss < 0.3, `it has learnt: the loss is ${loss}`);

  const folder = await makeFolder(t);
  const { drift, goldenOutput } = await exportModel(
    { network, parameters, training, validation, folder },
    { threads: 1, device: 'cpu' },
  );
  t.is(goldenOutput.length, 4);
  t.is(drift.source, '99 % of 80 validation frames are nearer');

  const model = await readFile(join(folder, exportFiles.model));
  const runner = await createOnnxGraphRunner(model, { threads: 1 });
  t.teardown(() => runner.close());
  const beyond = async (set: FrameSet) => {
    const rows = Array.from(set.frames.keys());
    const shape = network.inputShape;
    const distances = await runOver({ set, rows }, { output: 'distance', shape }, runner);
    return distances.filter((distance) => distance > drift.threshold).length / rows.length;
  };
  // One of the 80 lies beyond by the definition of the threshold.
  t.is(await beyond(validation), 1 / 80);
  const fresh = createSimulatedSet(80, sizePx, 5001);
  t.true((await beyond(fresh)) <= 0.1, `${await beyond(fresh)} of frames never seen`);

  const planeSize = sizePx * sizePx;
  const others: Readonly<Record<string, FrameSet>> = {
    noise: changed(fresh, (frame, at) =>
      frame.map((_, index) => Math.imul(index + 1, Math.imul(at + 1, 2654435761)) >>> 24),
    ),
    inverted: changed(fresh, (frame) => frame.map((value) => 255 - value)),
    'permuted channels': changed(fresh, (frame) => {
      const planes = [2, 3, 0, 1].map((plane) =>
        frame.subarray(plane * planeSize, (plane + 1) * planeSize),
      );
      return Uint8Array.from(Buffer.concat(planes));
    }),
    black: changed(fresh, (frame) => frame.map(() => 0)),
    white: changed(fresh, (frame) => frame.map(() => 255)),
  };
  for (const [kind, set] of Object.entries(others)) {
    const share = await beyond(set);
    t.true(share >= 0.9, `${share} of the frames that are ${kind}`);
  }
});

test('weights of one label that are not numbers are not exported, whichever label it is', async (t) => {
  const training = createSimulatedSet(20, sizePx, 1);
  const validation = createSimulatedSet(8, sizePx, 1001);
  const folder = await makeFolder(t);
  for (const label of [0, 1, 3]) {
    const parameters = new Map(initialiseParameters(network, 1));
    const values = new Float32Array(4);
    values[label] = Number.NaN;
    parameters.set('dense2/bias', { shape: [4], values });
    await t.throwsAsync(
      exportModel(
        { network, parameters, training, validation, folder },
        { threads: 1, device: 'cpu' },
      ),
      { message: /gave NaN where the training graph gives NaN, expected them within 0\.00001$/ },
    );
  }
});
