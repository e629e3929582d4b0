import type { ExplainWish, Explanation } from '../classify/index.js';
import type { Dataset, DatasetFrame } from '../dataset/index.js';
import type { Frame } from '../frames/index.js';
import { UsageError } from './failure.js';

/** Explains the answers to a dataset, in place or by a server, into a folder. */
export interface ExplainedDataset {
  readonly wish: ExplainWish;
  /** Reads a frame to be classified, and remembers its size. */
  readonly readFrame: (frame: DatasetFrame) => Promise<Frame>;
  /** Writes the maps of an answer. */
  readonly write: (answer: {
    readonly frameId: string;
    readonly probabilities: ArrayLike<number>;
    readonly explanation?: Explanation | undefined;
  }) => Promise<void>;
  /** Ends what was written. Returns the number of maps; null where none were asked for. */
  readonly finish: () => Promise<number | null>;
}

/**
 * Explanations on their way at once: a model lets 16 wait, and others may ask too.
 */
export const explainedAtOnce = 8;

/**
 * What `--explain` wants: the labels that are named, by name or number, or those that each
 * answer gives. Throws a `UsageError` for labels that the model does not have.
 */
export function toWish(
  {
    explain: asked,
    embeddings = false,
  }: {
    readonly explain?: true | readonly string[] | undefined;
    readonly embeddings?: true | undefined | false;
  },
  labels: readonly string[],
): ExplainWish {
  const none = { labels: [], givenLabels: asked === true, embedding: embeddings };
  if (asked === true || asked === undefined) return none;
  const named = asked.map((word) => (/^\d+$/.test(word) ? (labels[Number(word)] ?? word) : word));
  const unknown = named.filter((name) => !labels.includes(name));
  if (unknown.length > 0) {
    throw new UsageError(
      `--explain: expected labels of the model, by name or number, got "${unknown.join('", "')}"`,
    );
  }
  return { ...none, labels: [...new Set(named)] };
}

/** Opens what is written beside `predictions.csv`: `predictions-maps/`, `predictions-embeddings.csv`. */
export async function openExplained(
  wish: ExplainWish,
  {
    dataset,
    folder,
    embeddingsFile,
  }: {
    readonly dataset: Dataset;
    /** null: no maps. */
    readonly folder: string | null;
    readonly embeddingsFile: string;
  },
): Promise<ExplainedDataset> {
  const { readFrame } = await import('../dataset/index.js');
  const { readPngHeader } = await import('../frames/index.js');
  const { openMapsFolder, writeEmbeddings } = await import('../reports/index.js');
  const maps = folder === null ? null : await openMapsFolder(folder, dataset.labels);
  const sizes = new Map<string, { readonly widthPx: number; readonly heightPx: number }>();
  const embeddings = new Map<string, Float32Array>();
  return {
    wish,
    async readFrame(listed) {
      const frame = await readFrame(dataset, listed);
      // Read before the bytes are given away; a file that is none fails where it is classified.
      const header = readPngHeader(frame.planes[0]?.bytes ?? new Uint8Array());
      if (header !== null) sizes.set(listed.id, header);
      return frame;
    },
    async write({ frameId: id, probabilities, explanation }) {
      const size = sizes.get(id);
      sizes.delete(id);
      if (size === undefined || explanation === undefined) {
        throw new Error(`bug: "${id}" was answered without what it was asked for`);
      }
      if (wish.embedding) embeddings.set(id, explanation.embedding);
      const { widthPx, heightPx } = size;
      await maps?.write({ id, widthPx, heightPx, probabilities, explanation });
    },
    async finish() {
      const ids = dataset.frames.map(({ id }) => id);
      if (wish.embedding) await writeEmbeddings(embeddingsFile, ids, embeddings);
      return maps === null ? null : maps.finish(ids);
    },
  };
}
