import type { Engine, GraphSession } from '../engines/index.js';
import { DomainError } from '../errors.js';
import { labelsPerExplanation } from '../graph/index.js';
import type { ExplanationSpec, Manifest } from './model.js';
import type { ModelStore } from './model-store.js';

/** What is asked of an explanation. */
export interface ExplainRequest {
  /** uint8 `[C, H, W]` of the version's inputSpec; copied. */
  readonly pixels: Uint8Array;
  /** Each gets a map; none leaves the embedding alone. */
  readonly labelIndices: readonly number[];
  readonly signal?: AbortSignal | undefined;
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
   * is answered at once.
   *
   * Throws `unsupported`, `overloaded` for more than 16 that wait, the signal's reason, and
   * what loading and running throw.
   */
  explain(request: ExplainRequest): Promise<Explained>;
  close(): Promise<void>;
}

/** Explanations that may wait at once: about a second of them. */
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
  let waiting = 0;
  // One explanation at a time, so that batches come in between.
  let last: Promise<unknown> = Promise.resolve();

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
    const { channels, heightPx, widthPx } = manifest.inputSpec;
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
      if (waiting >= mostWaiting) {
        throw new DomainError(
          'overloaded',
          `expected at most ${mostWaiting} explanations of ${what} at once; try again`,
        );
      }
      waiting += 1;
      const turn = last.then(() => explainNow(request));
      // The place stays taken until its turn is over, also if the caller leaves before.
      last = turn
        .catch(() => {})
        .then(() => {
          waiting -= 1;
        });
      return orAborted(turn, request.signal);
    },
    async close() {
      await last;
      const open = await session?.catch(() => null);
      await open?.close();
    },
  };
}

/** As the turn ends, or at once with the signal's reason. */
function orAborted<T>(turn: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return turn;
  return new Promise<T>((resolve, reject) => {
    const leave = () => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    turn.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
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
