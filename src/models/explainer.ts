import type { SubmitOptions } from '../batching/index.js';
import type { Engine, GraphSession } from '../engines/index.js';
import { DomainError } from '../errors.js';
import { labelsPerExplanation } from '../graph/index.js';
import { createGate, toPlace } from '../queue/index.js';
import type { ExplanationSpec, Manifest } from './model.js';
import type { ModelStore } from './model-store.js';

/**
 * What is asked of an explanation, and its place among those that wait. The deadline says only
 * which of a stream goes first: what ends it is the signal.
 */
export interface ExplainRequest extends SubmitOptions {
  /** uint8 `[C, H, W]` of the version's inputSpec; copied. */
  readonly pixels: Uint8Array;
  /** Each gets a map; none leaves the embedding alone. */
  readonly labelIndices: readonly number[];
}

/** Why a version answers as it does for one frame. */
export interface Explained {
  /** float32 `[E]`: the network's penultimate activations. */
  readonly embedding: Float32Array;
  /** One a label, in the order asked: float32 `[h, w]`, 0 and up, rows top to bottom. */
  readonly maps: readonly Float32Array[];
  /** Size of the maps and the part of the frame that they cover. */
  readonly spec: ExplanationSpec;
  /** Time inside the runtime, in milliseconds. */
  readonly runMs: number;
}

/** Explains the answers of one version. */
export interface Explainer {
  /** Throws `unsupported` where the version or the engine gives no explanations. */
  assertExplains(): void;
  /**
   * One run for each four labels, on one worker of the engine, between two batches; an abort
   * is answered at once. One frame at a time, in FairQueue's order; 16 may wait beside those that
   * are kept, and make room by makeRoom's rule.
   *
   * Throws `unsupported`, `overloaded` where too many wait or to make room, the signal's reason,
   * and what loading and running throw.
   */
  explain(request: ExplainRequest): Promise<Explained>;
  close(): Promise<void>;
}

/** Explanations that may wait at once: about a second of them. All are of the same size. */
const mostWaiting = 16;

/**
 * Makes an Explainer. Nothing is loaded before the first explanation: who asks for none pays
 * nothing, and serving runs its own graph as before.
 */
export function createExplainer(
  manifest: Manifest,
  { engine, store }: { readonly engine: Engine; readonly store: ModelStore },
): Explainer {
  const what = `${manifest.name}@${manifest.version}`;
  let session: Promise<GraphSession> | null = null;
  const { channels, heightPx, widthPx } = manifest.inputSpec;
  const bytes = mostWaiting * channels.length * heightPx * widthPx;
  const gate = createGate({
    width: 1, // so that batches come in between
    maxQueuedFrames: mostWaiting,
    maxQueuedBytes: bytes,
    // A stream alone may have them all: others drive its last ones out, one by one.
    maxStreamFrames: mostWaiting,
    maxStreamBytes: bytes,
    where: `waiting for an explanation of ${what}`,
    closedMessage: `${what} is being retired; try again`,
  });

  const supported = () => {
    const loadGraph = engine.loadGraph?.bind(engine);
    if (manifest.explanation === null) {
      throw new DomainError(
        'unsupported',
        `${what} gives neither explanations nor embeddings: it was not trained here, or before there were any`,
      );
    }
    if (!loadGraph) {
      throw new DomainError('unsupported', `the engine ${engine.name} gives no explanations`);
    }
    return { spec: manifest.explanation, loadGraph };
  };

  const open = async (): Promise<GraphSession> => {
    const { loadGraph } = supported();
    const model = await store.readFile(manifest, 'explain.onnx');
    const weights = await store.readFile(manifest, 'model.onnx');
    return loadGraph({ model, files: { 'model.onnx': weights } });
  };
  const opened = (): Promise<GraphSession> => {
    session ??= open();
    session.catch(() => {
      session = null; // a disk that failed once may be asked again
    });
    return session;
  };

  const explainNow = async ({ pixels, labelIndices, signal }: ExplainRequest) => {
    const { spec } = supported();
    signal?.throwIfAborted();
    const graph = await opened();
    const shape = [1, channels.length, heightPx, widthPx];
    const mapSize = spec.heightPx * spec.widthPx;
    const maps: Float32Array[] = [];
    let embedding = new Float32Array(0);
    let runMs = 0;
    do {
      signal?.throwIfAborted();
      const some = labelIndices.slice(maps.length, maps.length + labelsPerExplanation);
      const labels = BigInt64Array.from({ length: labelsPerExplanation }, (_, at) =>
        BigInt(some[at] ?? 0),
      );
      const ran = await graph.run({
        pixels: { type: 'uint8', shape, values: pixels },
        labels: { type: 'int64', shape: [labels.length], values: labels },
      });
      const all = floatsOf(ran.outputs['maps'], labels.length * mapSize);
      embedding = floatsOf(ran.outputs['embedding'], spec.embeddingSize);
      runMs += ran.runMs;
      for (const at of some.keys()) maps.push(all.slice(at * mapSize, (at + 1) * mapSize));
    } while (maps.length < labelIndices.length);
    return { embedding, maps, spec, runMs };
  };

  return {
    assertExplains: () => void supported(),
    async explain(request) {
      supported();
      const { pixels, whenFull = 'refuse', signal } = request;
      const newcomer = { ...toPlace(request), byteLength: pixels.byteLength, whenFull };
      return gate.run(newcomer, signal, () => explainNow(request));
    },
    async close() {
      await gate.close();
      const open = await session?.catch(() => null);
      await open?.close();
    },
  };
}

function floatsOf(
  tensor: { readonly type: string; readonly values: ArrayLike<number | bigint> } | undefined,
  length: number,
): Float32Array<ArrayBuffer> {
  const values = tensor?.values;
  if (values instanceof Float32Array && values.length === length) return values.slice();
  throw new DomainError(
    'model_failed',
    `expected ${length} numbers of an explanation, got ${values?.length ?? 'none'}`,
  );
}
