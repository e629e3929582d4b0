// The table of `npm run experiment` and a sentence on it: mean and spread of what is done so far.
import { existsSync, readFileSync } from 'node:fs';
import { hpaLabels } from '../dist/src/label-set.js';

const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const spreadOf = (values) => {
  if (values.length < 2) return '';
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return ` ± ${Math.sqrt(squares / (values.length - 1)).toFixed(2)}`;
};

const macroF1Of = (results) => meanOf(results.map(({ macroF1 }) => macroF1));

/** The recipes, the best first. */
function namesOf(results) {
  const names = [...new Set(results.map(({ recipe }) => recipe))];
  const reached = (name) => macroF1Of(results.filter(({ recipe }) => recipe === name));
  return names.sort((one, other) => reached(other) - reached(one));
}

/** CPU seconds of a run, and of what all runs of a recipe begin with. */
function secondsOf(results) {
  const each = meanOf(results.map(({ cpuSeconds }) => cpuSeconds)).toFixed(0);
  const once = results.flatMap(({ beginningCpuSeconds = [] }) => beginningCpuSeconds);
  return once.length === 0 ? each : `${each}, and ${meanOf(once).toFixed(0)} once`;
}

/** Markdown from what the experiment left at `path`. */
export function experimentTable(path) {
  if (!existsSync(path)) return 'No seed is done yet.';
  const { at, processor, results } = JSON.parse(readFileSync(path, 'utf8'));
  const labels = [...new Set(results.flatMap(({ f1 }) => Object.keys(f1)))].sort((a, b) => a - b);
  const names = namesOf(results);
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
      secondsOf(of),
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
    `On ${at.slice(0, 10)}, ${processor}; mean ± standard deviation over seeds; label ${labels.map((label) => `${label}: ${hpaLabels[label]}`).join(', ')}.`,
    '',
    line([...head, 'CPU s a run', 'CPU ms a frame and step']),
    line([...head, '', ''].map(() => '---')),
    ...rows.map(line),
  ].join('\n');
}

/** The same in a sentence: macro F1 of each network. */
export function experimentInShort(path) {
  if (!existsSync(path)) return 'No seed of the networks is done yet.';
  const { results } = JSON.parse(readFileSync(path, 'utf8'));
  const names = namesOf(results);
  const reached = names.map((name) => {
    const values = results.filter(({ recipe }) => recipe === name).map(({ macroF1 }) => macroF1);
    const seeds = values.length === 1 ? '1 seed' : `${values.length} seeds`;
    return `\`${name}\` ${meanOf(values).toFixed(2)}${spreadOf(values)} (${seeds})`;
  });
  return `Trained to the end, macro F1 of the present labels: ${reached.join(', ')}.`;
}
