import { stringify } from 'csv-stringify/sync';
import { type DoubtedFrame, writeWhole } from '../evaluation/index.js';

export interface DoubtedLabels {
  readonly labels: readonly { readonly label: string }[];
  readonly doubts: readonly DoubtedFrame[];
}

/** Writes a line a doubted label of a frame, the most doubted frames first. Throws `storage_failed`. */
export function writeDoubts(path: string, { doubts, labels }: DoubtedLabels): Promise<void> {
  const head = [
    'Id',
    'Label',
    'Name',
    'Given',
    'Probability',
    'Expected',
    'SelfConfidence',
    'UsualConfidence',
  ];
  const lines = doubts.flatMap(({ id, doubts: of }) =>
    of.map(({ label, isGiven, ...numbers }) => [
      ...[id, label, labels[label]?.label, isGiven ? 'yes' : 'no'],
      ...[
        ...[numbers.probability, numbers.expected],
        ...[numbers.selfConfidence, numbers.usualConfidence],
      ].map((number) => number.toFixed(6)),
    ]),
  );
  return writeWhole(path, stringify([head, ...lines]));
}
