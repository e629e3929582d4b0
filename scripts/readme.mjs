// Writes the tables of README.md and docs/measured.md: the settings from the configuration
// itself, the figures from what `npm run bench`, `soak`, `chaos`, `experiment` and
// bench/seed-on-cells.ts left. Each stands between the marks of one block, in one of the files.
// With --check it only says whether they are up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { configFields, settingText } from '../dist/src/config.js';
import { benchTable, chaosInShort, chaosTable, soakInShort, soakTable } from './bench-tables.mjs';
import { experimentInShort, experimentTable } from './experiment-table.mjs';
import { seedOnCellsInShort, seedOnCellsTable } from './seed-on-cells-table.mjs';

const root = resolve(import.meta.dirname, '..');
const resultsOf = (name) => resolve(root, `bench/results/${name}.json`);
const read = (name) => JSON.parse(readFileSync(resultsOf(name), 'utf8'));
const show = (value) => {
  if (Array.isArray(value)) return value.map(show).join(',');
  const text = settingText(value).replace(process.cwd(), '.');
  return text === '.' ? 'the working folder' : text.replace(/^\.\//, '');
};
const settings = configFields.flatMap(
  ({ env, group, description, choices, default: fallback }, index) => [
    ...(configFields[index - 1]?.group === group ? [] : [`| **${group}** | | |`]),
    `| \`${env}\` | ${show(fallback) || '–'} | ${description}${choices ? `; one of ${choices.join(', ')}` : ''} |`,
  ],
);

const blocks = {
  configuration: ['| variable | default | what it does |', '| --- | --- | --- |', ...settings].join(
    '\n',
  ),
  bench: benchTable(read('latest')),
  soak: soakTable(read('soak')),
  'soak in short': soakInShort(read('soak')),
  chaos: chaosTable(read('chaos')),
  'chaos in short': chaosInShort(read('chaos')),
  'seed on cells': seedOnCellsTable(resultsOf('seed-on-cells')),
  'seed on cells in short': seedOnCellsInShort(resultsOf('seed-on-cells')),
  experiment: experimentTable(resultsOf('experiment')),
  'experiment in short': experimentInShort(resultsOf('experiment')),
};
const files = ['README.md', 'docs/measured.md'].map((name) => {
  const path = resolve(root, name);
  return { name, path, text: readFileSync(path, 'utf8') };
});

const marks = (name) =>
  new RegExp(`(<!-- ${name}: begin[^>]*-->\\n)[\\s\\S]*?(<!-- ${name}: end -->)`, 'g');
const faults = Object.keys(blocks).flatMap((name) => {
  const count = files.reduce((sum, { text }) => sum + [...text.matchAll(marks(name))].length, 0);
  const names = files.map((file) => file.name).join(' or ');
  return count === 1
    ? []
    : [`expected the block "${name}" once in ${names}, got it ${count} times`];
});
if (faults.length > 0) {
  console.error(faults.join('\n'));
  process.exit(1);
}

for (const { name, path, text } of files) {
  const next = Object.entries(blocks).reduce(
    (filled, [block, content]) =>
      filled.replace(marks(block), (_whole, begin, end) => `${begin}${content}\n${end}`),
    text,
  );
  if (next === text) continue;
  if (process.argv.includes('--check')) {
    console.error(`the tables of ${name} are old: run "npm run readme"`);
    process.exitCode = 1;
  } else writeFileSync(path, next);
}
