import { type Line, type LineChartOptions, lineChart } from './line-chart.js';

/** What an epoch of a training came to, as far as it is drawn. */
export interface LearningEpoch {
  readonly epoch: number;
  readonly trainingLoss: number;
  readonly trainingAccuracy: number;
  readonly trainingMacroF1Present: number;
  readonly trainingMacroAveragePrecisionPresent: number;
  readonly validationLoss: number;
  readonly validationAccuracy: number;
  readonly validationMacroF1Present: number;
  readonly validationMacroAveragePrecisionPresent: number;
  readonly alwaysNoAccuracy: number;
  readonly best: boolean;
}

/** One picture of a training. */
export interface LearningCurve {
  /** "loss.svg". */
  readonly file: string;
  readonly title: string;
  readonly svg: string;
}

/** The pictures of a training's epochs; a new one is a line here. */
const charts: readonly {
  readonly file: string;
  readonly title: string;
  readonly yLabel: string;
  readonly yRange?: LineChartOptions['yRange'];
  readonly lines: readonly (Omit<Line, 'points'> & {
    readonly of: (epoch: LearningEpoch) => number;
  })[];
}[] = [
  {
    file: 'loss.svg',
    title: 'Loss',
    yLabel: 'loss',
    lines: [
      { name: 'training, while it learns', of: (scores) => scores.trainingLoss },
      { name: 'validation', of: (scores) => scores.validationLoss },
    ],
  },
  {
    file: 'accuracy.svg',
    title: 'Binary accuracy, beside "no" to everything and macro F1',
    yLabel: 'accuracy, and macro F1 of the labels present',
    yRange: [0, 1],
    lines: [
      { name: 'training, while it learns', of: (scores) => scores.trainingAccuracy },
      { name: 'validation', of: (scores) => scores.validationAccuracy },
      { name: '"no" to everything', isDashed: true, of: (scores) => scores.alwaysNoAccuracy },
      { name: 'macro F1 of validation', of: (scores) => scores.validationMacroF1Present },
    ],
  },
  {
    file: 'macro-f1.svg',
    title: 'Macro F1 over the labels present, at 0.5',
    yLabel: 'macro F1',
    yRange: [0, 1],
    lines: [
      { name: 'training, while it learns', of: (scores) => scores.trainingMacroF1Present },
      { name: 'validation', of: (scores) => scores.validationMacroF1Present },
    ],
  },
  {
    file: 'average-precision.svg',
    title: 'Macro average precision over the labels present',
    yLabel: 'macro average precision',
    yRange: [0, 1],
    lines: [
      {
        name: 'training, while it learns',
        of: (scores) => scores.trainingMacroAveragePrecisionPresent,
      },
      { name: 'validation', of: (scores) => scores.validationMacroAveragePrecisionPresent },
    ],
  },
];

/** Loss, accuracy, macro F1 and average precision over the epochs, the best one marked. */
export function learningCurves(history: readonly LearningEpoch[]): readonly LearningCurve[] {
  const best = history.findLast((epoch) => epoch.best);
  return charts.map(({ file, title, yLabel, yRange, lines }) => ({
    file,
    title,
    svg: lineChart({
      title,
      xLabel: 'epoch',
      yLabel,
      lines: lines.map(({ of, ...line }) => ({
        ...line,
        points: history.map((epoch) => [epoch.epoch, of(epoch)] as const),
      })),
      ...(yRange ? { yRange } : {}),
      ...(best ? { mark: { x: best.epoch, text: 'best' } } : {}),
    }),
  }));
}
