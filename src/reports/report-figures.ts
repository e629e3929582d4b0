import { decimals, headlines, type PredictionRow, type Report } from '../evaluation/index.js';
import { barChart, type Figure, heatMap, lineChart } from '../plots/index.js';
import { countPairs, type Mistake, reliability } from './mistakes.js';

interface Shown {
  readonly rows: readonly PredictionRow[];
  readonly mistakes: readonly Mistake[];
  /** PNG of frames, worst first. */
  readonly sheet: Buffer | null;
}

/** What report.html shows, from the scores of the whole down to single frames. */
export function reportFigures(report: Report, { rows, mistakes, sheet }: Shown): readonly Figure[] {
  const { labels } = report;
  const categories = labels.map(({ label }, index) => `${index} ${label}`);
  const figures: Figure[] = [
    {
      title: 'Scores',
      note: 'Always answering "no" reaches the last line: binary accuracy says little beside it.',
      content: {
        head: ['score', 'value'],
        rows: [
          ['frames', report.frameCount],
          [
            'labels present',
            `${labels.filter(({ support }) => support > 0).length} of ${labels.length}`,
          ],
          ...headlines(report).map(([name, value]) => [name.trim(), decimals(value, 6)]),
        ],
      },
    },
    {
      title: 'F1 of each label',
      content: {
        svg: barChart({
          title: 'F1 of each label',
          subtitle: 'at its threshold; n: frames that have the label',
          xLabel: 'F1',
          most: 1,
          categories,
          series: [
            {
              name: 'F1',
              values: labels.map(({ f1 }) => f1),
              texts: labels.map(({ f1, support }) => `${f1.toFixed(2)}  n = ${support}`),
            },
          ],
        }),
      },
    },
    {
      title: 'Precision and recall of each label',
      content: {
        svg: barChart({
          title: 'Precision and recall',
          xLabel: 'share',
          most: 1,
          categories,
          series: (['precision', 'recall'] as const).map((name) => ({
            name,
            values: labels.map((label) => label[name]),
            texts: labels.map((label) => label[name].toFixed(2)),
          })),
        }),
      },
    },
  ];
  if (mistakes.length > 0) {
    figures.push(pairsFigure(mistakes, categories), reliabilityFigure(rows));
  }
  if (sheet !== null) {
    figures.push({
      title: 'Frames, the worst mistakes first',
      note: 'Planes fused in the colours of the Human Protein Atlas, stretched for looking at. ✓ given and true, ✗ given and not true, each with its probability.',
      content: { png: sheet, alt: 'frames with true and given labels' },
    });
  }
  figures.push({
    title: 'Every label',
    content: {
      head: [
        'label',
        'frames',
        'threshold',
        'precision',
        'recall',
        'F1',
        'AUROC',
        'avg. precision',
      ],
      rows: labels.map((label, index) => [
        `${index} ${label.label}`,
        label.support,
        decimals(label.threshold, 3),
        decimals(label.precision, 3),
        decimals(label.recall, 3),
        decimals(label.f1, 3),
        decimals(label.auroc, 3),
        decimals(label.averagePrecision, 3),
      ]),
    },
  });
  return figures;
}

function pairsFigure(mistakes: readonly Mistake[], categories: readonly string[]): Figure {
  const names = [...categories, 'none'];
  return {
    title: 'What is taken for what',
    note: 'A frame with several labels can be wrong about several pairs at once and counts in each. The diagonal counts labels rightly given. The row "none": given beside labels that were all found; the column "none": missed without another given wrongly.',
    content: {
      svg: heatMap({
        title: 'What is taken for what',
        subtitle:
          'frames where the row was missed and the column wrongly given; diagonal: rightly given',
        rows: names,
        columns: names,
        rowLabel: 'true label',
        columnLabel: 'given label',
        values: countPairs(mistakes, categories.length).counts,
        isLogarithmic: true,
      }),
    },
  };
}

function reliabilityFigure(rows: readonly PredictionRow[]): Figure {
  const bins = reliability(rows);
  return {
    title: 'How far probabilities can be believed',
    note: `Over all labels. On the dashed line a probability is what it says; below it, the model is too sure. Answers in the bins: ${bins.map(({ count }) => count).join(', ')}.`,
    content: {
      svg: lineChart({
        title: 'Reliability',
        xLabel: 'mean probability in the bin',
        yLabel: 'share that was true',
        xRange: [0, 1],
        yRange: [0, 1],
        lines: [
          {
            name: 'this model',
            points: bins.map(({ meanProbability, trueShare }) => [meanProbability, trueShare]),
          },
          {
            name: 'perfectly calibrated',
            points: [
              [0, 0],
              [1, 1],
            ],
            isDashed: true,
          },
        ],
      }),
    },
  };
}
