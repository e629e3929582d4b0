// The README's table of `npm run experiment`: mean and spread of what is done so far.
import { existsSync, readFileSync } from 'node:fs';

const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const spreadOf = (values) => {
  if (values.length < 2) return '';
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return ` ± ${Math.sqrt(squares / (values.length - 1)).toFixed(2)}`;
};

/** Markdown from what the experiment left at `path`. */
export function experimentTable(path) {
  if (!existsSync(path)) return 'No seed is done yet.';
  const { at, processor, results } = JSON.parse(readFileSync(path, 'utf8'));
  const labels = [...new Set(results.flatMap(({ f1 }) => Object.keys(f1)))].sort((a, b) => a - b);
  const names = [...new Set(results.map(({ recipe }) => recipe))];
  const rows = names.map((name) => {
    const of = results.filter(({ recipe }) => recipe === name);
    const cell = (values) =>
      values.length === 0 ? '–' : `${meanOf(values).toFixed(2)}${spreadOf(values)}`;
    return [
      name,
      of.length,
      cell(of.map(({ macroF1 }) => macroF1)),
      cell(of.map(({ macroF1AtHalf }) => macroF1AtHalf)),
      ...labels.map((label) => cell(of.flatMap(({ f1 }) => (label in f1 ? [f1[label]] : [])))),
      meanOf(of.map(({ cpuSeconds }) => cpuSeconds)).toFixed(0),
      (1000 * meanOf(of.map((each) => each.cpuSeconds / each.framesTrained))).toFixed(1),
    ];
  });
  const head = [
    'network',
    'seeds',
    'macro F1',
    'at 0.5',
    ...labels.map((label) => `F1 of ${label}`),
  ];
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [
    `On ${at.slice(0, 10)}, ${processor}; mean ± standard deviation over seeds:`,
    '',
    line([...head, 'CPU s a run', 'CPU ms a frame and step']),
    line([...head, '', ''].map(() => '---')),
    ...rows.map(line),
  ].join('\n');
}
