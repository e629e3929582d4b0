import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { type FrameFolder, readFrame } from '../dataset/index.js';
import { DomainError } from '../errors.js';
import { makeFolder } from '../files/index.js';
import type { Frame } from '../frames/index.js';
import { type Cell, contactSheet, toPage, toThumbnail } from '../plots/index.js';
import { drawSummary, edaFigures } from './figures.js';
import {
  chooseFrames,
  type LabelledFrame,
  type LabelledFrames,
  type LabelSummary,
  summarise,
} from './summary.js';

export interface ExploreOptions<F extends LabelledFrame> {
  /**
   * Reads a frame for the grid; null counts labels only.
   * @default from the dataset's folder; null for labels without a folder
   */
  readonly readFrame?: ((frame: F) => Promise<Frame>) | null;
  /** Hears after each frame of the grid. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
  /** Frames in the grid. @default 36 */
  readonly shownFrames?: number;
}

/** What was found and written. */
export interface EdaSummary extends LabelSummary {
  /** Ids in the grid. */
  readonly shown: readonly string[];
  /** Frames chosen for the grid that could not be shown, and why. */
  readonly unreadable: readonly { readonly id: string; readonly message: string }[];
  /** Names of the files in the folder; open `index.html` first. */
  readonly files: readonly string[];
}

const edgePx = 168;
/** Frames read at once. */
const concurrency = 4;

/**
 * A first look at a dataset: counts its labels, draws them, and shows some frames
 * fused with their labels. Writes `eda.json`, an `index.html` that holds everything,
 * and each picture by itself.
 *
 * A frame that cannot be shown is named in the answer and on the page; the counts
 * are of all frames either way. Throws `dataset_invalid` without any frame or when
 * no frame of the grid can be shown, `storage_failed`, `cancelled`.
 */
export async function exploreDataset<F extends LabelledFrame>(
  dataset: LabelledFrames<F> | (LabelledFrames<F> & FrameFolder),
  outDir: string,
  options: ExploreOptions<F> = {},
): Promise<EdaSummary> {
  if (dataset.frames.length === 0) {
    throw new DomainError('dataset_invalid', 'expected at least one frame, got none');
  }
  const summary = summarise(dataset);
  const readOwn = 'folder' in dataset ? (frame: F) => readFrame(dataset, frame) : null;
  const grid = await drawFrames(dataset, { readFrame: readOwn, ...options });
  const pictures: Record<string, string | Buffer> = {
    ...drawSummary(summary),
    ...(grid.sheet === null ? {} : { 'frames.png': grid.sheet }),
  };
  const result: EdaSummary = {
    ...summary,
    shown: grid.shown,
    unreadable: grid.unreadable,
    files: ['index.html', 'eda.json', ...Object.keys(pictures)],
  };
  const page = toPage({
    title: 'What the dataset holds',
    intro: introOf(result),
    figures: edaFigures(pictures),
  });
  await writeAll(outDir, {
    ...pictures,
    'eda.json': `${JSON.stringify(result, null, 2)}\n`,
    'index.html': page,
  });
  return result;
}

async function drawFrames<F extends LabelledFrame>(
  dataset: LabelledFrames<F>,
  { readFrame: read = null, onProgress = () => {}, signal, shownFrames = 36 }: ExploreOptions<F>,
) {
  const nothing = { sheet: null, shown: [], unreadable: [] };
  if (read === null) return nothing;
  const chosen = chooseFrames(dataset, shownFrames);
  const cells: (Cell & { readonly id: string })[] = [];
  const unreadable: { id: string; message: string }[] = [];
  for (let first = 0; first < chosen.length; first += concurrency) {
    if (signal?.aborted) throw DomainError.from(signal.reason);
    const drawn = await Promise.all(
      chosen.slice(first, first + concurrency).map(async (frame) => {
        try {
          const thumbnail = await toThumbnail(await read(frame), edgePx);
          return { id: frame.id, thumbnail, caption: captionOf(frame, dataset) };
        } catch (thrown) {
          const { code, message } = DomainError.from(thrown);
          if (code === 'internal') throw thrown;
          return { id: frame.id, message };
        }
      }),
    );
    for (const one of drawn) {
      if (one.message === undefined) cells.push(one);
      else unreadable.push({ id: one.id, message: one.message });
    }
    onProgress(Math.min(first + concurrency, chosen.length), chosen.length);
  }
  if (cells.length === 0) {
    const [first] = unreadable;
    throw new DomainError(
      'dataset_invalid',
      `none of ${chosen.length} frames can be shown; the first: ${first?.message}`,
    );
  }
  return {
    sheet: await contactSheet(cells, { columns: 6 }),
    shown: cells.map(({ id }) => id),
    unreadable,
  };
}

function captionOf({ id, labelIndices }: LabelledFrame, { labels }: LabelledFrames) {
  const names = labelIndices.map((label) => labels[label] ?? `label ${label}`);
  return [
    { text: id, tone: 'quiet' as const },
    names.length > 0
      ? { text: names.join(', '), tone: 'plain' as const }
      : { text: 'no label', tone: 'quiet' as const },
  ];
}

function introOf(summary: EdaSummary): readonly string[] {
  const present = summary.labels.filter(({ frames }) => frames > 0);
  const byCount = [...present].sort((a, b) => b.frames - a.frames);
  const [most] = byCount;
  const least = byCount.at(-1);
  const intro = [
    `${summary.frameCount} frames, ${summary.labelCount} labels, ${summary.meanLabelsPerFrame.toFixed(2)} a frame; ${present.length} of ${summary.labels.length} labels are present.`,
  ];
  if (most !== undefined && least !== undefined) {
    intro.push(
      `${most.label} is on ${most.frames} frames, ${least.label} on ${least.frames}. Answering "no" to every label would be right in ${(summary.alwaysNoAccuracy * 100).toFixed(1)} % of all answers, so accuracy alone says little here.`,
    );
  }
  if (summary.unreadable.length > 0) {
    const named = summary.unreadable.map(({ id, message }) => `${id} (${message})`).join('; ');
    intro.push(`${summary.unreadable.length} frames of the grid could not be shown: ${named}.`);
  }
  return intro;
}

async function writeAll(
  dir: string,
  files: Readonly<Record<string, string | Buffer>>,
): Promise<void> {
  try {
    await makeFolder(dir);
    for (const [name, content] of Object.entries(files)) {
      await writeFileAtomic(join(dir, name), content);
    }
  } catch (thrown) {
    const reason = (thrown as NodeJS.ErrnoException | null)?.code ?? 'unknown';
    throw new DomainError(
      'storage_failed',
      `expected a folder that can be written, the file system refused (${reason})`,
      { cause: thrown },
    );
  }
}
