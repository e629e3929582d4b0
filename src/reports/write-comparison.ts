import { join } from 'node:path';
import {
  type Comparison,
  comparisonNote,
  decimals,
  differences,
  formatP,
  isMet,
  labelTestNote,
  seenByBoth,
  signed,
  signedInterval,
  writeWhole,
} from '../evaluation/index.js';
import { makeFolder, storageFailed } from '../files/index.js';
import { barChart, type Figure, toPage } from '../plots/index.js';

/**
 * Writes `comparison.json` and `comparison.html`, one file that needs nothing else.
 * Throws `storage_failed` when the folder cannot be written.
 */
export async function writeComparison(
  dir: string,
  comparison: Comparison,
  { title }: { readonly title: string },
): Promise<void> {
  await makeFolder(dir).catch((cause: unknown) => {
    throw storageFailed('cannot make the folder of the comparison', cause);
  });
  const json = `${JSON.stringify({ title, ...comparison }, null, 2)}\n`;
  await writeWhole(join(dir, 'comparison.json'), json);
  const intro = [`${comparisonNote(comparison)}. Each version answers at its own thresholds.`];
  const page = toPage({
    ...{ title, intro },
    caution: seenByBoth(comparison),
    figures: figuresOf(comparison),
  });
  await writeWhole(join(dir, 'comparison.html'), page);
}

function figuresOf(comparison: Comparison): readonly Figure[] {
  const { firstRef, secondRef, first, second, labels } = comparison;
  const met = labels
    .map((label, index) => ({ ...label, name: `${index} ${label.label}` }))
    .filter(isMet);
  return [
    {
      title: 'The whole',
      note: `Gain: ${secondRef} less ${firstRef}. p: how likely a gain as far from 0 were, if neither was better.`,
      content: {
        head: ['score', firstRef, secondRef, 'gain', '95 %', 'p'],
        rows: [
          ...differences(comparison).map(([name, of]) => [
            ...[name, decimals(of.first, 4), decimals(of.second, 4), signed(of.gain, 4)],
            ...[signedInterval(of.interval, 4), formatP(of.pValue)],
          ]),
          [
            ...['binary accuracy', decimals(first.binaryAccuracy, 4)],
            ...[decimals(second.binaryAccuracy, 4), '', '', ''],
          ],
          [
            ...['  the same, always answering "no"', decimals(first.alwaysNoAccuracy, 4)],
            ...[decimals(second.alwaysNoAccuracy, 4), '', '', ''],
          ],
        ],
      },
    },
    {
      title: 'F1 of each label',
      content: {
        svg: barChart({
          title: 'F1 of each label',
          subtitle: 'labels that are present or were given; n: frames that have the label',
          xLabel: 'F1',
          most: 1,
          categories: met.map(({ name }) => name),
          series: [
            {
              name: firstRef,
              values: met.map(({ firstF1 }) => firstF1 ?? 0),
              texts: met.map(({ firstF1, firstWronglyGiven }) =>
                firstF1 === null ? wrongly(firstWronglyGiven) : firstF1.toFixed(2),
              ),
            },
            {
              name: secondRef,
              values: met.map(({ secondF1 }) => secondF1 ?? 0),
              texts: met.map(({ secondF1, secondWronglyGiven, support }) =>
                secondF1 === null
                  ? wrongly(secondWronglyGiven)
                  : `${secondF1.toFixed(2)}  n = ${support}`,
              ),
            },
          ],
        }),
      },
    },
    {
      title: 'Label by label',
      note: labelTestNote,
      content: {
        head: [
          ...['label', 'frames', `F1 ${firstRef}`, `F1 ${secondRef}`],
          ...[`given wrongly by ${firstRef}`, `by ${secondRef}`],
          ...[`only ${firstRef} right`, `only ${secondRef} right`, 'p', 'p, Holm'],
        ],
        rows: met.map((label) => [
          ...[label.name, label.support, decimals(label.firstF1, 3), decimals(label.secondF1, 3)],
          ...[label.firstWronglyGiven, label.secondWronglyGiven],
          ...[label.onlyFirstRight, label.onlySecondRight],
          ...[formatP(label.pValue), formatP(label.adjustedPValue)],
        ]),
      },
    },
  ];
}

/** What stands for the F1 of a label that no frame has. */
const wrongly = (count: number): string => `–  none has it, ${count} were given it`;
