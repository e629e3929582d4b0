import { join } from 'node:path';
import { writeDurably } from '../../files/index.js';
import { type Line, type LineChartOptions, lineChart } from '../../plots/index.js';
import type { EpochScores } from '../run.js';

/** A measure of an epoch, as a line over the epochs. */
type Measure = (scores: EpochScores) => number;

/** The pictures of a run's epochs; a new one is a line here. */
const charts: readonly {
  readonly file: string;
  readonly title: string;
  readonly yLabel: string;
  readonly yRange?: LineChartOptions['yRange'];
  readonly lines: readonly (Omit<Line, 'points'> & { readonly of: Measure })[];
}[] = [
  {
    file: 'loss.svg',
    title: 'Loss',
    yLabel: 'loss',
    lines: [
      { name: 'training', of: (scores) => scores.trainingLoss },
      { name: 'validation', of: (scores) => scores.validationLoss },
    ],
  },
  {
    file: 'accuracy.svg',
    title: 'Binary accuracy',
    yLabel: 'part of the answers that are right',
    lines: [
      { name: 'training', of: (scores) => scores.trainingAccuracy },
      { name: 'validation', of: (scores) => scores.validationAccuracy },
      { name: '"no" to everything', isDashed: true, of: (scores) => scores.alwaysNoAccuracy },
    ],
  },
  {
    file: 'macro-f1.svg',
    title: 'Macro F1 over all labels, at 0.5',
    yLabel: 'macro F1',
    yRange: [0, 1],
    lines: [{ name: 'validation', of: (scores) => scores.validationMacroF1 }],
  },
];

/** Draws loss, accuracy and macro F1 per epoch into a run's folder. Throws `storage_failed`. */
export async function drawCurves(folder: string, history: readonly EpochScores[]): Promise<void> {
  const best = history.findLast((scores) => scores.best);
  for (const { file, title, yLabel, yRange, lines } of charts) {
    const svg = lineChart({
      title,
      xLabel: 'epoch',
      yLabel,
      lines: lines.map(({ of, ...line }) => ({
        ...line,
        points: history.map((scores) => [scores.epoch, of(scores)] as const),
      })),
      ...(yRange ? { yRange } : {}),
      ...(best ? { mark: { x: best.epoch, text: 'best' } } : {}),
    });
    await writeDurably(join(folder, file), [Buffer.from(svg)]);
  }
}
