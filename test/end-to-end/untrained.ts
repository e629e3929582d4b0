import { openModelsPlace } from '../../src/cli/models-place.js';
import { hpaChannels } from '../../src/frames/index.js';
import { buildInference, initialiseParameters } from '../../src/graph/index.js';
import { hpaLabels } from '../../src/label-set.js';
import { createNetwork } from '../../src/training/networks/index.js';

/** An untrained seed-cnn as it is served: a model of the real size without a training. */
export function untrainedOnnx(seed: number): Uint8Array {
  const network = createNetwork('seed-cnn', {
    channels: hpaChannels.length,
    heightPx: 128,
    widthPx: 128,
    labelCount: hpaLabels.length,
  });
  return buildInference(network, initialiseParameters(network, seed));
}

/** Puts versions 1 to `versions` of "cells" into a folder, each its own, and makes 1 live. */
export async function importUntrained(models: string, versions: number): Promise<void> {
  const place = await openModelsPlace({ models });
  try {
    for (let version = 1; version <= versions; version += 1) {
      await place.importModel({
        name: 'cells',
        onnx: untrainedOnnx(version),
        labels: hpaLabels,
        inputSpec: { channels: hpaChannels, widthPx: 128, heightPx: 128, resize: 'bilinear' },
      });
    }
    await place.promote('cells', 1);
  } finally {
    await place.close();
  }
}
