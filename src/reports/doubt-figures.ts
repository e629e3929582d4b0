import { decimals, foremostDoubts, type Report } from '../evaluation/index.js';
import type { Figure } from '../plots/index.js';

/** The frames whose labels are doubted, as `sheet` shows them (PNG, or null), and their foremost doubts in numbers. */
export function doubtFigures({ labels, doubts }: Report, sheet: Buffer | null): readonly Figure[] {
  const note =
    'Frames whose labels the model believes least, label by label against its own averages (confident learning). Ask a second pair of eyes before changing one: a model that has trained on the frames has learnt to believe their labels.';
  const pictures: readonly Figure[] =
    sheet === null
      ? []
      : [
          {
            title: 'Doubted labels',
            note,
            content: { png: sheet, alt: 'frames whose labels are doubted' },
          },
        ];
  const rows = doubts.flatMap((frame) => {
    const { foremost, moreCount } = foremostDoubts(frame);
    const { id } = frame;
    return [
      ...foremost.map(({ label, isGiven, probability, expected }) => [
        id,
        `${label} ${labels[label]?.label}`,
        isGiven ? 'given, doubted' : 'not given, expected',
        decimals(probability, 3),
        decimals(expected, 3),
      ]),
      ...(moreCount > 0 ? [[id, `and ${moreCount} more, in doubts.csv`, '', '', '']] : []),
    ];
  });
  const head = ['frame', 'label', 'in the dataset', 'probability', 'average of the other kind'];
  return [
    ...pictures,
    {
      title: sheet === null ? 'Doubted labels' : 'Doubted labels, in numbers',
      ...(sheet === null ? { note } : {}),
      content: { head, rows },
    },
  ];
}
