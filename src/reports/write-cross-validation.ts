import { join } from 'node:path';
import {
  type CrossValidation,
  type DoubtedFrame,
  decimals,
  type PredictionRow,
  spreads,
  writePredictions,
  writeWhole,
} from '../evaluation/index.js';
import { makeFolder, storageFailed } from '../files/index.js';
import { barChart, type Figure, toPage } from '../plots/index.js';
import { writeDoubts } from './write-doubts.js';

export interface CrossValidationExtras {
  readonly title: string;
  /** The answers to every frame, by the training that had not seen it. */
  readonly rows: readonly PredictionRow[];
  readonly doubts: readonly DoubtedFrame[];
}

/**
 * Writes `cross-validation.json`, `cross-validation.html` (one file that needs nothing
 * else), `predictions.csv` with the answers to frames that were held out and, where labels
 * are doubted, `doubts.csv`. Throws `storage_failed` when the folder cannot be written.
 */
export async function writeCrossValidation(
  dir: string,
  of: CrossValidation,
  { title, rows, doubts }: CrossValidationExtras,
): Promise<void> {
  await makeFolder(dir).catch((cause: unknown) => {
    throw storageFailed('cannot make the folder of the report', cause);
  });
  const json = `${JSON.stringify({ title, ...of, doubts }, null, 2)}\n`;
  await writeWhole(join(dir, 'cross-validation.json'), json);
  await writePredictions(join(dir, 'predictions.csv'), rows);
  if (doubts.length > 0) await writeDoubts(join(dir, 'doubts.csv'), { labels: of.labels, doubts });
  const intro = [
    'Each training was kept from the frames of its fold and is scored on them. Temperature and thresholds come from the validation part of its other frames.',
  ];
  const page = toPage({ title, intro, figures: figuresOf(of) });
  await writeWhole(join(dir, 'cross-validation.html'), page);
}

function figuresOf(of: CrossValidation): readonly Figure[] {
  const present = of.labels.flatMap(({ label, support, f1 }, index) =>
    f1 === null ? [] : [{ name: `${index} ${label}`, support, f1 }],
  );
  return [
    {
      title: 'Mean and spread',
      note: 'Standard deviation with n - 1. Binary accuracy says little: what always answering "no" reaches stands below it.',
      content: {
        head: ['score', 'mean', '± deviation', 'least', 'most'],
        rows: spreads(of).map(([name, { mean, deviation, least, most }]) => [
          name.trim(),
          ...[mean, deviation, least, most].map((value) => decimals(value, 4)),
        ]),
      },
    },
    {
      title: 'F1 of each label',
      content: {
        svg: barChart({
          title: 'F1 of each label',
          subtitle:
            'mean over the folds in which a frame has it ± deviation; n: frames of all folds',
          xLabel: 'F1',
          most: 1,
          categories: present.map(({ name }) => name),
          series: [
            {
              name: 'F1',
              values: present.map(({ f1 }) => f1.mean),
              texts: present.map(
                ({ f1, support }) =>
                  `${f1.mean.toFixed(2)} ± ${f1.deviation.toFixed(2)}  n = ${support}`,
              ),
            },
          ],
        }),
      },
    },
    {
      title: 'Fold by fold',
      content: {
        head: ['fold', 'frames', ...spreads(of).map(([name]) => name.trim())],
        rows: of.folds.map((report, at) =>
          [
            at + 1,
            report.frameCount,
            ...[report.macroF1Present, report.macroF1, report.microF1, report.exactMatch],
            ...[report.macroAveragePrecisionPresent, report.meanBinaryCrossEntropy],
            ...[report.expectedCalibrationErrorPresent, report.expectedCalibrationError],
            ...[report.binaryAccuracy, report.alwaysNoAccuracy],
          ].map((value, column) => (column < 2 ? value : decimals(value, 4))),
        ),
      },
    },
  ];
}
