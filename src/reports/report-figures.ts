import {
  averages,
  decimals,
  formatLabelInterval,
  formatRankingInterval,
  headlines,
  intervalNote,
  intervalOfHeadline,
  type LabelReport,
  labelsMet,
  type Report,
} from '../evaluation/index.js';
import {
  barChart,
  type Figure,
  heatMap,
  type LearningEpoch,
  learningCurves,
  lineChart,
} from '../plots/index.js';
import { doubtFigures } from './doubt-figures.js';
import { pairTable } from './mistakes.js';

interface Shown {
  /** PNG of frames, worst first. */
  readonly sheet: Buffer | null;
  /** PNG of frames with the evidence for their labels. */
  readonly mapSheet: Buffer | null;
  /** PNG of the frames whose labels are doubted. */
  readonly doubtSheet: Buffer | null;
  /** The epochs of its training; none where nobody knows. */
  readonly history: readonly LearningEpoch[];
}

/** What report.html shows, from the scores of the whole down to single frames. */
export function reportFigures(
  report: Report,
  { sheet, doubtSheet, mapSheet, history }: Shown,
): readonly Figure[] {
  const { labels, intervals } = report;
  const categories = labels.map(({ label }, index) => `${index} ${label}`);
  const figures: Figure[] = [
    {
      title: 'Scores',
      note: 'Binary accuracy says little: what always answering "no" reaches stands below it.',
      content: {
        head: ['score', 'value', intervals === null ? '' : '95 %'],
        rows: [
          ['frames', report.frameCount, intervalNote(report)],
          ['labels present', labelsMet(report), ''],
          ...headlines(report).map(([name, value]) => [
            name.trim(),
            decimals(value, 6),
            intervalOfHeadline(report, name),
          ]),
        ],
      },
    },
    {
      title: 'Precision, recall and F1, averaged',
      note: 'Macro: every label counts alike; one that no frame has does not count among those present, however often it is given. Micro: every answer counts alike. Weighted: every label counts by its frames.',
      content: {
        head: ['average', 'precision', 'recall', 'F1'],
        rows: averages(report).map(([name, ...values]) => [
          name,
          ...values.map((value) => decimals(value, 3)),
        ]),
      },
    },
    {
      title: 'F1 of each label',
      content: {
        svg: barChart({
          title: 'F1 of each label',
          subtitle:
            intervals === null
              ? 'at its threshold; n: frames that have the label'
              : 'at its threshold, with its 95 % interval; n: frames that have the label',
          xLabel: 'F1',
          most: 1,
          categories,
          series: [
            {
              name: 'F1',
              values: labels.map(({ f1 }) => f1 ?? 0),
              texts: labels.map((label, index) =>
                [
                  decimals(label.f1, 2),
                  bracketed(formatLabelInterval(intervals, index)),
                  framesOf(label),
                ]
                  .filter((text) => text !== '')
                  .join('  '),
              ),
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
            values: labels.map((label) => label[name] ?? 0),
            texts: labels.map((label) => decimals(label[name], 2)),
          })),
        }),
      },
    },
  ];
  figures.push(pairsFigure(report, categories), reliabilityFigure(report));
  if (sheet !== null) {
    figures.push({
      title: 'Frames, the worst mistakes first',
      note: 'Planes fused in the colours of the Human Protein Atlas, stretched for looking at. ✓ given and true, ✗ given and not true, each with its probability.',
      content: { png: sheet, alt: 'frames with true and given labels' },
    });
  }
  if (mapSheet !== null) {
    figures.push({
      title: 'Where the evidence lies',
      note: 'The same frames in grey; orange where the network found what speaks for the label under the picture (Grad-CAM), each map in its own range. ✓ given and true, ✗ given and not true, or missed.',
      content: { png: mapSheet, alt: 'frames with maps of the evidence for their labels' },
    });
  }
  if (report.doubts.length > 0) figures.push(...doubtFigures(report, doubtSheet));
  figures.push({
    title: 'Every label',
    ...(intervals === null
      ? {}
      : {
          note: 'A frame of more weight counts as several in the same place, which raises average precision: where few frames have a label, its interval may lie above it.',
        }),
    content: {
      head: [
        'label',
        'frames',
        'given wrongly',
        'threshold',
        'precision',
        'recall',
        'F1',
        '95 %',
        'AUROC',
        '95 %',
        'avg. precision',
        '95 %',
      ],
      rows: labels.map((label, index) => [
        `${index} ${label.label}`,
        label.support,
        label.wronglyGiven,
        decimals(label.threshold, 3),
        decimals(label.precision, 3),
        decimals(label.recall, 3),
        decimals(label.f1, 3),
        formatLabelInterval(intervals, index),
        decimals(label.auroc, 3),
        formatRankingInterval(intervals, index, 'auroc'),
        decimals(label.averagePrecision, 3),
        formatRankingInterval(intervals, index, 'averagePrecision'),
      ]),
    },
  });
  if (history.length > 0) {
    for (const { title, svg } of learningCurves(history)) {
      figures.push({ title: `Its training: ${title}`, content: { svg } });
    }
  }
  return figures;
}

/** How many frames an F1 is of; of a label that none has, how many were given it. */
function framesOf({ support, wronglyGiven }: LabelReport): string {
  if (support > 0) return `n = ${support}`;
  return wronglyGiven === 0 ? 'none has it' : `none has it, ${wronglyGiven} were given it`;
}

const bracketed = (text: string): string => (text === '' ? '' : `(${text})`);

function pairsFigure(report: Report, categories: readonly string[]): Figure {
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
        values: pairTable(report),
        isLogarithmic: true,
      }),
    },
  };
}

function reliabilityFigure(report: Report): Figure {
  const { reliabilityPresent, expectedCalibrationErrorPresent } = report;
  const countsOf = (bins: Report['reliability']) =>
    bins.map(({ count }) => count.toLocaleString('en-US'));
  const pointsOf = (bins: Report['reliability']) =>
    bins.map(({ meanProbability, trueShare }) => [meanProbability, trueShare] as const);
  return {
    title: 'How far probabilities can be believed',
    note: `On the dashed line a probability is what it says; below it, the model is too sure. At the points: how many answers the bin has, of the labels present; of all labels ${countsOf(report.reliability).join('; ')}. Expected calibration error of the labels present ${decimals(expectedCalibrationErrorPresent, 4)}; of all labels ${decimals(report.expectedCalibrationError, 4)}, where answers about absent labels only have to be near 0.`,
    content: {
      svg: lineChart({
        title: 'Reliability',
        xLabel: 'mean probability in the bin',
        yLabel: 'share that was true',
        xRange: [0, 1],
        yRange: [0, 1],
        lines: [
          {
            name: 'labels present',
            points: pointsOf(reliabilityPresent),
            texts: countsOf(reliabilityPresent),
          },
          {
            name: 'all labels',
            points: pointsOf(report.reliability),
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
