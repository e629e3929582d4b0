import type { Engine } from '../engines/index.js';
import { DomainError } from '../errors.js';
import type { InputSpec } from '../frames/index.js';
import type { LabelSet } from '../label-set.js';
import { createGoldenFrame } from './golden.js';
import type { Manifest } from './model.js';
import { assertModelName } from './model-ref.js';
import type { ModelStore } from './model-store.js';

/** A model made elsewhere. */
export interface ImportDraft {
  readonly name: string;
  readonly onnx: Uint8Array;
  readonly labels: LabelSet;
  readonly inputSpec: InputSpec;
  readonly thresholds: readonly number[];
  readonly thresholdsSource: string;
}

/** Edge of the largest input taken, in pixels. */
const maxEdgePx = 8192;

/**
 * Publishes a model made elsewhere: loads it, runs the golden pattern, keeps the answer,
 * and makes it the candidate.
 *
 * Throws `option_invalid` for what is said of it, `model_failed` for a graph that does not
 * load, does not fit what is said, or whose output is no probability.
 */
export async function importVersion(
  { name, onnx, ...described }: ImportDraft,
  { engine, store }: { readonly engine: Engine; readonly store: ModelStore },
): Promise<Manifest> {
  assertModelName(name);
  const { inputSpec, labels } = described;
  const { channels, heightPx, widthPx } = inputSpec;
  for (const edge of [heightPx, widthPx]) {
    if (Number.isInteger(edge) && edge >= 1 && edge <= maxEdgePx) continue;
    throw new DomainError(
      'option_invalid',
      `expected an input of 1 to ${maxEdgePx} pixels, got ${widthPx} x ${heightPx}`,
    );
  }
  const session = await engine.load({
    model: onnx,
    inputShape: [channels.length, heightPx, widthPx],
    labelCount: labels.length,
    name,
  });
  try {
    const frame = createGoldenFrame(inputSpec);
    const { probabilities } = await session.run(frame.slice(), 1);
    const wrong = probabilities.findIndex((value) => !(value >= 0 && value <= 1));
    if (wrong >= 0) {
      throw new DomainError(
        'model_failed',
        `expected probabilities of 0 to 1, got ${probabilities[wrong]} for ${labels[wrong]}: does the graph end in a sigmoid?`,
      );
    }
    const manifest = await store.publish({
      ...described,
      name,
      model: onnx,
      scores: null,
      runId: null,
      datasetFingerprint: null,
      parent: null,
      golden: { frame, output: probabilities },
    });
    await store.setAlias(name, 'candidate', manifest.version);
    return manifest;
  } finally {
    await session.close();
  }
}
