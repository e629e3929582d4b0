// `npm run chaos [-- words ...] [--short] [--json]`: bad things happen to a server, and every
// frame that it admitted must have its outcome. Words choose the scenarios whose name has
// one of them. Writes what was played in full into bench/results/chaos.json; exit code 1 on
// any loss or fault.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createProgress } from '../src/cli/progress.js';
import { packageRoot } from '../src/package-root.js';
import { formatResult, runScenario } from './chaos/run-scenario.js';
import type { ScenarioResult } from './chaos/scenario.js';
import { scenarios } from './chaos/scenarios/index.js';
import { describeMachine } from './machine.js';

const { values, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const chosen = scenarios.filter(
  ({ name }) => words.length === 0 || words.some((word) => name.includes(word)),
);
if (chosen.length === 0) {
  const names = scenarios.map(({ name }) => `"${name}"`).join(', ');
  console.error(`chaos: expected words of ${names}, got ${words.join(', ')}`);
  process.exit(2);
}

// What was started ends with this process, also when that is told to end.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const progress = createProgress(
  { title: 'chaos', unit: 'scenarios', total: chosen.length },
  { stream: process.stderr },
);
const results: ScenarioResult[] = [];
for (const scenario of chosen) {
  progress.update(results.length, scenario.name);
  const result = await runScenario(scenario, { isShort: values.short });
  results.push(result);
  if (!values.json) process.stdout.write(`${formatResult(result)}\n`);
}
progress.end();

const isWell = results.every(({ faults }) => faults.length === 0);
const machine = await describeMachine();
const report = { at: new Date().toISOString(), machine, isWell, results };
if (!values.short) await keep();
const admitted = results.reduce((sum, result) => sum + result.admitted, 0);
const lost = results.reduce((sum, result) => sum + result.lost, 0);
if (values.json) console.log(JSON.stringify(report));
else {
  const verdict = isWell ? 'passed' : 'FAILED';
  console.log(`chaos: ${verdict}: ${admitted} frames admitted, ${lost} lost`);
}
process.exit(isWell ? 0 : 1);

/** Writes what was played in full; what was not keeps the result that it has there. */
async function keep(): Promise<void> {
  const folder = join(packageRoot, 'bench/results');
  const path = join(folder, 'chaos.json');
  const kept = await readFile(path, 'utf8').then(
    (text) => (JSON.parse(text) as { results: ScenarioResult[] }).results,
    () => [],
  );
  const all = scenarios.flatMap(({ name }) => {
    const result = [...results, ...kept].find((candidate) => candidate.name === name);
    return result === undefined ? [] : [result];
  });
  const areWell = all.every(({ faults }) => faults.length === 0);
  await mkdir(folder, { recursive: true });
  const whole = { ...report, isWell: areWell, results: all };
  await writeFile(path, `${JSON.stringify(whole, null, 2)}\n`);
}
