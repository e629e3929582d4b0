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
  /** Ends the folder. Returns the number of maps. */
  readonly finish: () => Promise<number>;
}

/**
 * Explanations on their way at once: a model lets 16 wait, and others may ask too.
 */
export const explainedAtOnce = 8;

/**
 * What `--explain` wants: the labels that are named, by name or number, or those that each
 * answer gives. Throws a `UsageError` for labels that the model does not have.
 */
export function toWish(asked: true | readonly string[], labels: readonly string[]): ExplainWish {
  const none = { labels: [], givenLabels: true, embedding: false };
  if (asked === true) return none;
  const named = asked.map((word) => (/^\d+$/.test(word) ? (labels[Number(word)] ?? word) : word));
  const unknown = named.filter((name) => !labels.includes(name));
  if (unknown.length > 0) {
    throw new UsageError(
      `--explain: expected labels of the model, by name or number, got "${unknown.join('", "')}"`,
    );
  }
  return { ...none, labels: [...new Set(named)], givenLabels: false };
}

/** Opens the folder beside the predictions: `predictions-maps` of `predictions.csv`. */
export async function openExplained(
  wish: ExplainWish,
  { dataset, folder }: { readonly dataset: Dataset; readonly folder: string },
): Promise<ExplainedDataset> {
  const { readFrame } = await import('../dataset/index.js');
  const { readPngHeader } = await import('../frames/index.js');
  const { openMapsFolder } = await import('../reports/index.js');
  const maps = await openMapsFolder(folder, dataset.labels);
  const sizes = new Map<string, { readonly widthPx: number; readonly heightPx: number }>();
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
      const { widthPx, heightPx } = size;
      await maps.write({ id, widthPx, heightPx, probabilities, explanation });
    },
    finish: () => maps.finish(dataset.frames.map(({ id }) => id)),
  };
}
