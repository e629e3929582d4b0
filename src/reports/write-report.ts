import { join } from 'node:path';
import { DomainError } from '../errors.js';
import {
  foremostDoubts,
  type PredictionRow,
  type Report,
  seenSentence,
  writePredictions,
  writeWhole,
} from '../evaluation/index.js';
import { makeFolder } from '../files/index.js';
import type { Frame } from '../frames/index.js';
import {
  type Cell,
  contactSheet,
  type LearningEpoch,
  toPage,
  toThumbnail,
} from '../plots/index.js';
import { drawExplanations, type ExplainFrame } from './draw-explanations.js';
import { type Mistake, rankMistakes } from './mistakes.js';
import { reportFigures } from './report-figures.js';
import { writeDoubts } from './write-doubts.js';

export interface ReportExtras {
  /** What was scored: "cells@3 on hpa-fields". */
  readonly title: string;
  /** What a reader should know of it: the run, the split; a paragraph each. @default none */
  readonly notes?: readonly string[];
  /** The answers; with them come predictions.csv and the worst mistakes. */
  readonly rows?: readonly PredictionRow[];
  /** Reads a frame to be shown by its Id; with it comes the grid of frames. */
  readonly readFrame?: (id: string) => Promise<Frame>;
  /** Says where in a frame the evidence lies; with it and `readFrame` come maps over frames. */
  readonly explain?: ExplainFrame;
  /** The epochs of its training; with them come the curves of loss, accuracy and F1. @default none */
  readonly history?: readonly LearningEpoch[];
  /** Frames in the grid. @default 24 */
  readonly shownFrames?: number;
}

const edgePx = 168;
/** Frames that are shown with their maps: the worst mistakes. */
const explainedFrames = 12;
/** Frames read at once. */
const concurrency = 4;

/**
 * Writes `report.json`, `report.html` (one file that needs nothing else) and, with
 * rows, `predictions.csv`, with readable frames `frames.png`: true and given labels,
 * the worst mistakes first; with `explain` also `explanations.png`; where labels are doubted `doubts.csv` and `doubts.png`. A frame that cannot be shown is left out of the grid.
 *
 * Throws `storage_failed` when the folder cannot be written.
 */
export async function writeReport(
  dir: string,
  report: Report,
  {
    title,
    notes = [],
    rows = [],
    history = [],
    readFrame,
    explain,
    shownFrames = 24,
  }: ReportExtras,
): Promise<void> {
  try {
    await makeFolder(dir);
  } catch (thrown) {
    const reason = (thrown as NodeJS.ErrnoException | null)?.code ?? 'unknown';
    throw new DomainError(
      'storage_failed',
      `expected a folder for the report that can be written, the file system refused (${reason})`,
      { cause: thrown },
    );
  }
  const thresholds = report.labels.map(({ threshold }) => threshold);
  const mistakes = rankMistakes(rows, thresholds);
  const sheet =
    readFrame === undefined || mistakes.length === 0
      ? null
      : await drawMistakes(mistakes.slice(0, shownFrames), report, readFrame);

  await writeWhole(join(dir, 'report.json'), `${JSON.stringify({ title, ...report }, null, 2)}\n`);
  if (rows.length > 0) await writePredictions(join(dir, 'predictions.csv'), rows);
  if (sheet !== null) await writeWhole(join(dir, 'frames.png'), sheet);
  const doubtSheet =
    readFrame === undefined ? null : await drawDoubts(report, { shownFrames, readFrame });
  if (doubtSheet !== null) await writeWhole(join(dir, 'doubts.png'), doubtSheet);
  if (report.doubts.length > 0) await writeDoubts(join(dir, 'doubts.csv'), report);
  const mapSheet =
    readFrame === undefined || explain === undefined
      ? null
      : await drawExplanations(mistakes.slice(0, explainedFrames), report.labels, {
          readFrame,
          explain,
        });
  if (mapSheet !== null) await writeWhole(join(dir, 'explanations.png'), mapSheet);
  const { seen, frameCount } = report;
  const caution = seen ? [seenSentence(seen, { frameCount, ref: 'the version' })] : [];
  const figures = reportFigures(report, { sheet, doubtSheet, mapSheet, history });
  await writeWhole(join(dir, 'report.html'), toPage({ title, caution, intro: notes, figures }));
}

function drawMistakes(
  mistakes: readonly Mistake[],
  { labels }: Report,
  readFrame: (id: string) => Promise<Frame>,
): Promise<Buffer | null> {
  const shown = mistakes.map((mistake) => ({
    id: mistake.row.id,
    caption: captionOf(mistake, labels),
  }));
  return drawFrames(shown, readFrame);
}

function drawDoubts(
  { doubts, labels }: Report,
  { shownFrames, readFrame }: Required<Pick<ReportExtras, 'shownFrames' | 'readFrame'>>,
): Promise<Buffer | null> {
  const shown = doubts.slice(0, shownFrames).map((frame) => {
    const { foremost, moreCount } = foremostDoubts(frame);
    const more = { text: `and ${moreCount} more`, tone: 'quiet' as const };
    return {
      id: frame.id,
      caption: [
        { text: frame.id, tone: 'quiet' as const },
        ...foremost.map(({ label, isGiven, probability }) => ({
          text: `${isGiven ? 'given' : 'not given'}: ${labels[label]?.label} ${probability.toFixed(2)}`,
          tone: 'wrong' as const,
        })),
        ...(moreCount > 0 ? [more] : []),
      ],
    };
  });
  return drawFrames(shown, readFrame);
}

async function drawFrames(
  frames: readonly { readonly id: string; readonly caption: Cell['caption'] }[],
  readFrame: (id: string) => Promise<Frame>,
): Promise<Buffer | null> {
  const cells: Cell[] = [];
  for (let first = 0; first < frames.length; first += concurrency) {
    const drawn = await Promise.all(
      frames.slice(first, first + concurrency).map(async ({ id, caption }) => {
        try {
          return [{ thumbnail: await toThumbnail(await readFrame(id), edgePx), caption }];
        } catch (thrown) {
          if (DomainError.from(thrown).code === 'internal') throw thrown;
          return [];
        }
      }),
    );
    cells.push(...drawn.flat());
  }
  if (cells.length === 0) return null;
  return contactSheet(cells, { columns: 6 });
}

function captionOf(
  { row, loss, missed, wronglyGiven, hit }: Mistake,
  labels: Report['labels'],
): Cell['caption'] {
  const named = (of: readonly number[]) =>
    of
      .map((label) => `${labels[label]?.label} ${(row.probabilities[label] ?? 0).toFixed(2)}`)
      .join(', ');
  return [
    { text: row.id, tone: 'quiet' },
    ...(hit.length > 0 ? [{ text: `✓ ${named(hit)}`, tone: 'right' as const }] : []),
    ...(missed.length > 0 ? [{ text: `missed ${named(missed)}`, tone: 'wrong' as const }] : []),
    ...(wronglyGiven.length > 0
      ? [{ text: `✗ ${named(wronglyGiven)}`, tone: 'wrong' as const }]
      : []),
    { text: `loss ${loss.toFixed(3)}`, tone: 'quiet' },
  ];
}
