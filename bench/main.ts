// `npm run bench [-- words ...] [--short] [--json]`: the ratios this product holds itself to, each
// against a named yardstick that ran beside it. Words choose sections. Prints a table, and writes
// the same to bench/results/latest.json where all was measured in full.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { packageRoot } from '../src/package-root.js';
import { describeMachine } from './machine.js';
import { type Row, sections } from './sections.js';

const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const say = (line: string) => console.error(line);
const unknown = wanted.filter((name) => !(name in sections));
if (unknown.length > 0) {
  say(`bench: expected ${Object.keys(sections).join(', ')}, got ${unknown.join(', ')}`);
  process.exit(2);
}

const rows: Row[] = [];
for (const [name, measure] of Object.entries(sections)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  say(`measuring ${name} ...`);
  rows.push(...(await measure({ isShort: values.short, say })));
}

const machine = await describeMachine();
const report = `${JSON.stringify({ at: new Date().toISOString(), machine, rows }, null, 2)}\n`;
if (values.json) process.stdout.write(report);
else tell();
// The README's table is of one run: a part of it would leave out, or mix in, other times.
if (wanted.length > 0 || values.short) {
  say('bench/results/latest.json is left as it was: it keeps whole runs of all sections');
} else {
  const results = join(packageRoot, 'bench/results');
  await mkdir(results, { recursive: true });
  await writeFile(join(results, 'latest.json'), report);
}

function tell(): void {
  const table = new Table({
    head: ['what', 'yardstick', 'measured', 'ratio', 'goal'],
    style: { head: [], border: [] },
  });
  for (const { what, yardstick, measured, value, goal } of rows) {
    const ratio = value === null || yardstick === '–' ? '–' : value.toFixed(2);
    table.push([what, yardstick, measured, ratio, goal]);
  }
  console.log(table.toString());
  console.log(
    `${machine.processor}, ${machine.cores} cores, ${machine.memoryGib} GiB, Node ${machine.node}, ONNX Runtime ${machine.onnxruntime}`,
  );
}
