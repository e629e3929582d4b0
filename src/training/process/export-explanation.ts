import { basename, join } from 'node:path';
import { createOnnxGraphRunner } from '../../engines/index.js';
import { DomainError } from '../../errors.js';
import { writeDurably } from '../../files/index.js';
import {
  buildExplanation,
  findLandmarks,
  labelsPerExplanation,
  type Network,
} from '../../graph/index.js';
import type { ExplanationSpec } from '../../models/index.js';
import { exportFiles } from './messages.js';

/** How far its probabilities may lie from the served graph's: the same sums, in one batch. */
const tolerance = 1e-5;

/**
 * Writes the graph that explains a served graph, and returns what it gives. Before that it
 * answers the golden frame, so that it is sure to read its weights from the right places.
 * Throws `internal` where it answers otherwise, and `storage_failed`.
 */
export async function exportExplanation(
  {
    network,
    model,
    golden,
    folder,
  }: {
    readonly network: Network;
    /** As `buildInference` gave it. */
    readonly model: Uint8Array;
    readonly golden: { readonly frame: Uint8Array; readonly output: Float32Array };
    readonly folder: string;
  },
  { threads }: { readonly threads: number },
): Promise<ExplanationSpec> {
  const fileName = basename(exportFiles.model);
  const explain = buildExplanation(network, { model, fileName });
  const runner = await createOnnxGraphRunner(explain, { threads, files: { [fileName]: model } });
  try {
    const values = new BigInt64Array(labelsPerExplanation);
    const { probabilities } = await runner.run({
      pixels: { type: 'uint8', shape: [1, ...network.inputShape], values: golden.frame },
      labels: { type: 'int64', shape: [labelsPerExplanation], values },
    });
    const isSame = golden.output.every(
      (value, label) => Math.abs(value - Number(probabilities?.values[label])) <= tolerance,
    );
    if (!isSame) {
      throw new DomainError('internal', 'bug: the graph of explanations answers otherwise');
    }
  } finally {
    await runner.close();
  }
  await writeDurably(join(folder, exportFiles.explain), [explain]);
  const { featureShape, featureBox, embeddingSize } = findLandmarks(network);
  const [, heightPx, widthPx] = featureShape;
  return { embeddingSize, heightPx, widthPx, box: featureBox };
}
