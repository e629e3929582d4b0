// Writes the README's tables: the settings from the configuration itself, the figures from
// what `npm run bench`, `soak`, `chaos`, `experiment` and bench/seed-on-cells.ts left. With
// --check it only says whether they are up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { configFields, settingText } from '../dist/src/config.js';
import { experimentTable } from './experiment-table.mjs';
import { seedOnCellsTable } from './seed-on-cells-table.mjs';

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
const resultsOf = (name) =>
  JSON.parse(readFileSync(resolve(import.meta.dirname, `../bench/results/${name}.json`), 'utf8'));
const madeOn = ({ at, machine: { processor, cores, memoryGib, node, onnxruntime } }) =>
  `On ${at.slice(0, 10)}, ${processor}, ${cores} cores, ${memoryGib} GiB, Node ${node}, ONNX Runtime ${onnxruntime}:`;
const countOf = (frames) => frames.toLocaleString('en-US');
const endsOf = (outcomes) =>
  Object.entries(outcomes)
    .sort(([, left], [, right]) => right - left)
    .map(([outcome, frames]) => `${countOf(frames)} ${outcome}`)
    .join(', ');
const bench = resultsOf('latest');
const figures = [
  madeOn(bench),
  '',
  '| what | beside | measured | ratio | goal |',
  '| --- | --- | --- | --- | --- |',
  ...bench.rows.map(
    ({ what, yardstick, measured, value, goal }) =>
      `| ${what} | ${yardstick} | ${measured} | ${value === null ? '–' : value.toFixed(2)} | ${goal || '–'} |`,
  ),
].join('\n');
const soak = resultsOf('soak');
const soaked = [
  madeOn(soak),
  '',
  '| engine | frames | lost, doubled, crossed | memory of the server after the first frames | at the end | ratio (goal ≤ 1.1) |',
  '| --- | --- | --- | --- | --- | --- |',
  ...soak.results.map(
    ({ kind, outcomes, lost, doubled, crossed, memory, framesPerSecond }) =>
      `| ${kind} | ${endsOf(outcomes)}, ${framesPerSecond.toFixed(0)}/s | ${lost}, ${doubled}, ${crossed} | ${memory.afterMib.toFixed(0)} MiB after ${countOf(memory.afterFrames)} | ${memory.endMib.toFixed(0)} MiB | ${memory.ratio.toFixed(2)} |`,
  ),
].join('\n');
const healthOf = (health) =>
  health === null
    ? '– | –'
    : `${health.longestMs.toFixed(0)} ms | ${health.withoutCoreMs.toFixed(0)} ms`;
const chaos = resultsOf('chaos');
const survived = [
  madeOn(chaos),
  '',
  '| what is done | frames, by how they ended | lost | longest health check | of it without a core |',
  '| --- | --- | --- | --- | --- |',
  ...chaos.results.map(({ name, what, seen, outcomes, lost, health, skipped }) =>
    skipped === null
      ? `| **${name}**: ${what}${seen ? `. *${seen}*` : ''} | ${endsOf(outcomes)} | ${lost} | ${healthOf(health)} |`
      : `| **${name}**: ${what} | skipped: ${skipped} | – | – | – |`,
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
const seedOnCells = seedOnCellsTable(
  resolve(import.meta.dirname, '../bench/results/seed-on-cells.json'),
);
const next = Object.entries({
  configuration: table,
  bench: figures,
  soak: soaked,
  chaos: survived,
  'seed on cells': seedOnCells,
  experiment,
}).reduce((text, [name, content]) => fill(text, name, content), readme);
if (process.argv.includes('--check')) {
  if (next !== readme) {
    console.error('the README\'s tables are old: run "npm run readme"');
    process.exit(1);
  }
} else if (next !== readme) writeFileSync(path, next);
