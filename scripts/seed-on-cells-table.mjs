// The tables of `bench/seed-on-cells.ts`: every seed here and in PyTorch, and by how much they
// differ on the same fields; and a sentence on their means.
import { existsSync, readFileSync } from 'node:fs';

const names = {
  here: 'here',
  ours: 'PyTorch, same draws',
  glorot: 'PyTorch, own draws, Glorot',
  torch: "PyTorch, own draws, PyTorch's start",
};
/** What PyTorch 1.13 reached on another cut of the fields. */
const goal = { macroF1Present: 0.33, binaryAccuracy: 0.969, crossEntropy: 0.067 };
const digits = { macroF1Present: 3, binaryAccuracy: 4, crossEntropy: 4 };
const scores = Object.keys(goal);
/** Student's t, two-sided 95 %, by degrees of freedom from 1 on. */
const quantiles = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviationOf = (values) => {
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
};
const line = (cells) => `| ${cells.join(' | ')} |`;
const tableOf = (head, rows) => [line(head), line(head.map(() => '---')), ...rows.map(line)];

/** Markdown from what the comparison left at `path`. */
export function seedOnCellsTable(path) {
  if (!existsSync(path)) return 'No seed is done yet.';
  const { rows } = JSON.parse(readFileSync(path, 'utf8'));
  const trainers = Object.keys(names).filter((name) => rows.some((row) => row.trainer === name));
  const seeds = [...new Set(rows.map(({ seed }) => seed))].sort((a, b) => a - b);
  const find = (trainer, seed) =>
    rows.find((row) => row.trainer === trainer && row.seed === seed)?.scores;
  const show = (name, value) => value.toFixed(digits[name]);
  // Of the fields that a seed holds out, whoever trains.
  const alwaysNo = (seed) => rows.find((row) => row.seed === seed).scores.alwaysNoAccuracy;

  const each = seeds.map((seed) => [
    seed,
    show('binaryAccuracy', alwaysNo(seed)),
    ...trainers.map((trainer) => {
      const found = find(trainer, seed);
      return found ? scores.map((name) => show(name, found[name])).join(', ') : '–';
    }),
  ]);
  const mean = trainers.map((trainer) => {
    const of = rows.filter((row) => row.trainer === trainer).map((row) => row.scores);
    const means = scores.map((name) => show(name, meanOf(of.map((one) => one[name]))));
    return of.length === seeds.length ? means.join(', ') : `${means.join(', ')} (of ${of.length})`;
  });
  const differences = trainers.slice(1).flatMap((trainer) => {
    const both = seeds.filter((seed) => find('here', seed) && find(trainer, seed));
    // An interval from two values says nothing.
    if (both.length < 3) return [];
    const cells = scores.map((name) => {
      const values = both.map((seed) => find('here', seed)[name] - find(trainer, seed)[name]);
      const half = (quantiles[both.length - 2] * deviationOf(values)) / Math.sqrt(both.length);
      return `${show(name, meanOf(values))} ± ${show(name, half)}`;
    });
    return [[`here less ${names[trainer]}`, both.length, ...cells]];
  });
  const head = [
    'on the same fields, mean ± 95 %',
    'seeds',
    'macro F1',
    'accuracy',
    'cross-entropy',
  ];
  return [
    ...tableOf(
      ['seed', 'accuracy of always "no"', ...trainers.map((trainer) => names[trainer])],
      [
        ...each,
        ['**mean**', show('binaryAccuracy', meanOf(seeds.map(alwaysNo))), ...mean],
        [
          'goal',
          '',
          scores.map((name) => goal[name]).join(', '),
          ...trainers.slice(1).map(() => ''),
        ],
      ],
    ),
    ...(differences.length > 0 ? ['', ...tableOf(head, differences)] : []),
  ].join('\n');
}

/** The same in a sentence: the means here and of PyTorch's own draws. */
export function seedOnCellsInShort(path) {
  if (!existsSync(path)) return 'No seed of the first network is done yet.';
  const { rows, epochs } = JSON.parse(readFileSync(path, 'utf8'));
  const meansOf = (trainer) => {
    const of = rows.filter((row) => row.trainer === trainer).map((row) => row.scores);
    if (of.length === 0) return [];
    const meanOfScore = (name) => meanOf(of.map((one) => one[name]));
    const means = scores.map((name) => meanOfScore(name).toFixed(digits[name]));
    const no = meanOfScore('alwaysNoAccuracy').toFixed(digits.binaryAccuracy);
    return [
      `${means[0]}, ${means[1]} (always "no": ${no}), ${means[2]} ${trainer === 'here' ? 'here' : 'in PyTorch'} (${of.length} ${of.length === 1 ? 'seed' : 'seeds'})`,
    ];
  };
  return (
    `The first network after ${epochs} epochs, macro F1 of the present labels, binary accuracy and cross-entropy: ` +
    `${[...meansOf('here'), ...meansOf('glorot')].join('; ')}; goal ${scores.map((name) => goal[name]).join(', ')}.`
  );
}
