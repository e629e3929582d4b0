// Writes the README's tables: the settings from the configuration itself, the figures from
// what `npm run bench` and `npm run experiment` left. With --check it only says whether they are up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { configFields, settingText } from '../dist/src/config.js';
import { experimentTable } from './experiment-table.mjs';

const path = resolve(import.meta.dirname, '../README.md');
const readme = readFileSync(path, 'utf8');
const show = (value) => {
  if (Array.isArray(value)) return value.map(show).join(',');
  const text = settingText(value).replace(process.cwd(), '.');
  return text === '.' ? 'the working folder' : text.replace(/^\.\//, '');
};
const rows = configFields.map(
  ({ env, description, default: fallback }) =>
    `| \`${env}\` | ${show(fallback) || '–'} | ${description} |`,
);
const table = ['| variable | default | what it does |', '| --- | --- | --- |', ...rows].join('\n');
const bench = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../bench/results/latest.json'), 'utf8'),
);
const { processor, cores, memoryGib, node, onnxruntime } = bench.machine;
const figures = [
  `On ${bench.at.slice(0, 10)}, ${processor}, ${cores} cores, ${memoryGib} GiB, Node ${node}, ONNX Runtime ${onnxruntime}:`,
  '',
  '| what | beside | measured | ratio | goal |',
  '| --- | --- | --- | --- | --- |',
  ...bench.rows.map(
    ({ what, yardstick, measured, value, goal }) =>
      `| ${what} | ${yardstick} | ${measured} | ${value === null ? '–' : value.toFixed(2)} | ${goal || '–'} |`,
  ),
].join('\n');
const fill = (text, name, content) =>
  text.replace(
    new RegExp(`(<!-- ${name}: begin[^>]*-->\\n)[\\s\\S]*?(<!-- ${name}: end -->)`),
    (_whole, begin, end) => `${begin}${content}\n${end}`,
  );
const experiment = experimentTable(
  resolve(import.meta.dirname, '../bench/results/experiment.json'),
);
const next = fill(
  fill(fill(readme, 'configuration', table), 'bench', figures),
  'experiment',
  experiment,
);
if (process.argv.includes('--check')) {
  if (next !== readme) {
    console.error('the README\'s tables are old: run "npm run readme"');
    process.exit(1);
  }
} else if (next !== readme) writeFileSync(path, next);
