import { createOnnxGraphRunner } from '../../src/engines/index.js';
import { hpaChannels, type InputSpec } from '../../src/frames/index.js';
import { buildInference, initialiseParameters } from '../../src/graph/index.js';
import { hpaLabels } from '../../src/label-set.js';
import { createGoldenFrame, type ModelStore, openModelStore } from '../../src/models/index.js';
import { createNetwork } from '../../src/training/networks/index.js';
import { versionedModel, versionedProbabilities } from './versioned-engine.js';

/** What the frames of a soak are classified with: the fake engine's, or `seed-cnn`. */
export type ModelKind = 'fake' | 'real';

/** The name of the model that is served. */
export const modelName = 'cells';

export const inputSpecOf = (sizePx: number): InputSpec => ({
  channels: hpaChannels,
  widthPx: sizePx,
  heightPx: sizePx,
  resize: 'bilinear',
});

/** Publishes versions 1 to `versions` of "cells", each with answers of its own; 1 is live. */
export async function publishVersions(
  modelsDir: string,
  { kind, sizePx, versions }: { kind: ModelKind; sizePx: number; versions: number },
): Promise<void> {
  const store = await openModelStore(modelsDir);
  const frame = createGoldenFrame(inputSpecOf(sizePx));
  for (let version = 1; version <= versions; version += 1) {
    const { model, output } =
      kind === 'fake'
        ? {
            model: versionedModel(version),
            output: versionedProbabilities(frame, hpaLabels.length, version),
          }
        : await untrained(frame, sizePx, version);
    await publish(store, { frame, model, output, sizePx });
  }
  await store.setAlias(modelName, 'live', 1);
}

/** The seed's network with its first weights, as it is served. */
export function untrainedModel(sizePx: number, seed: number): Uint8Array {
  const network = createNetwork('seed-cnn', {
    channels: hpaChannels.length,
    heightPx: sizePx,
    widthPx: sizePx,
    labelCount: hpaLabels.length,
  });
  return buildInference(network, initialiseParameters(network, seed));
}

/** That, and what it says of the golden frame. */
async function untrained(frame: Uint8Array, sizePx: number, seed: number) {
  const model = untrainedModel(sizePx, seed);
  const runner = await createOnnxGraphRunner(model);
  const { probabilities } = await runner.run({
    pixels: { type: 'uint8', shape: [1, hpaChannels.length, sizePx, sizePx], values: frame },
  });
  await runner.close();
  if (probabilities?.type !== 'float32') throw new Error('bug: expected probabilities in float32');
  return { model, output: probabilities.values };
}

async function publish(
  store: ModelStore,
  {
    frame,
    model,
    output,
    sizePx,
  }: { frame: Uint8Array; model: Uint8Array; output: Float32Array; sizePx: number },
): Promise<void> {
  await store.publish({
    name: modelName,
    model,
    labels: hpaLabels,
    inputSpec: inputSpecOf(sizePx),
    thresholds: hpaLabels.map(() => 0.5),
    thresholdsSource: 'default 0.5',
    scores: null,
    runId: null,
    datasetFingerprint: null,
    parent: null,
    golden: { frame, output },
  });
}
