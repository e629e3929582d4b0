import type { Engine, Session } from '../engines/index.js';
import { DomainError } from '../errors.js';
import type { InputSpec } from '../frames/index.js';
import { describeForeignGraph, type PixelScaling, toServedForm } from '../graph/index.js';
import type { LabelSet } from '../label-set.js';
import { checkAnswers } from './check-answers.js';
import type { Manifest } from './model.js';
import { assertModelName } from './model-ref.js';
import type { ModelStore } from './model-store.js';

/** A model made elsewhere. */
export interface ImportDraft {
  readonly name: string;
  readonly onnx: Uint8Array;
  readonly labels: LabelSet;
  /** A size of 0 is taken from the graph. */
  readonly inputSpec: InputSpec;
  readonly thresholds: readonly number[];
  readonly thresholdsSource: string;
  /** Of a graph whose input is floats. @default pixels of 0 to 1 */
  readonly scaling?: PixelScaling;
  /** Whether the graph gives logits, so that a sigmoid is put behind it. @default false */
  readonly logits?: boolean;
}

/** Edge of the largest input taken, in pixels. */
const maxEdgePx = 8192;

/**
 * Publishes a model made elsewhere: brings its graph to the form that is served, loads it,
 * looks at what it gives for the golden pattern and others, keeps the answer, and makes it the
 * candidate.
 *
 * Throws `option_invalid` for what is said of it, `model_failed` for a graph that does not
 * load, does not fit what is said, or whose output is no probability.
 */
export async function importVersion(
  { onnx, scaling = {}, logits = false, ...described }: ImportDraft,
  { engine, store }: { readonly engine: Engine; readonly store: ModelStore },
): Promise<Manifest> {
  const { name, labels } = described;
  assertModelName(name);
  const inputSpec = withSize(described.inputSpec, onnx);
  const { channels, heightPx, widthPx } = inputSpec;
  const inputShape = [channels.length, heightPx, widthPx] as const;
  const labelCount = labels.length;
  const { model, fixedBatch } = toServedForm(onnx, { ...scaling, inputShape, labelCount, logits });
  let session: Session | null = null;
  try {
    session = await engine.load({ model, inputShape, labelCount, name });
    const golden = await checkAnswers(session, inputSpec, labels);
    const manifest = await store.publish({
      ...{ ...described, inputSpec, model, golden },
      scores: null,
      runId: null,
      datasetFingerprint: null,
      parent: null,
    });
    await store.setAlias(name, 'candidate', manifest.version);
    return manifest;
  } catch (thrown) {
    const { code, message } = DomainError.from(thrown);
    if (code !== 'model_failed' || fixedBatch === null) throw thrown;
    const why = `its file fixes the batch at ${fixedBatch}; if that is why, export it with a dynamic axis for the batch`;
    throw new DomainError(code, `${message} (${why})`, { cause: thrown });
  } finally {
    await session?.close();
  }
}

/** Throws `option_invalid` for a size that is too large, or that neither says. */
function withSize(inputSpec: InputSpec, onnx: Uint8Array): InputSpec {
  const { widthPx, heightPx } = inputSpec;
  const inGraph = widthPx > 0 && heightPx > 0 ? null : describeForeignGraph(onnx);
  const size = {
    widthPx: widthPx || (inGraph?.widthPx ?? 0),
    heightPx: heightPx || (inGraph?.heightPx ?? 0),
  };
  if (size.widthPx === 0 || size.heightPx === 0) {
    throw new DomainError('option_invalid', 'expected a size, as the graph takes any: --size');
  }
  for (const edge of Object.values(size)) {
    if (Number.isInteger(edge) && edge >= 1 && edge <= maxEdgePx) continue;
    throw new DomainError(
      'option_invalid',
      `expected an input of 1 to ${maxEdgePx} pixels, got ${size.widthPx} x ${size.heightPx}`,
    );
  }
  return { ...inputSpec, ...size };
}
