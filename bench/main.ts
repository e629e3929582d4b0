// `npm run bench [-- classify prepare loading training transport]`: the ratios this product holds
// itself to, each against a named yardstick that ran beside it. Prints a table, and
// writes the same to bench/results/latest.json.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Table from 'cli-table3';
import { packageRoot } from '../src/package-root.js';
import { measureClassify } from './classify.js';
import { measureFirstPass } from './first-pass.js';
import { measureIsolation } from './isolation.js';
import { describeMachine } from './machine.js';
import type { OpenLoopResult } from './open-loop.js';
import { measurePrepare } from './prepare.js';
import { benchTrainingStep } from './training-step.js';
import { measureTransport } from './transport.js';

/** One line of the table. */
interface Row {
  readonly what: string;
  readonly yardstick: string;
  readonly measured: string;
  /** Measured ÷ yardstick, null where that could not run; where none is ("–"), what was measured. */
  readonly value: number | null;
  /** "≥ 0.95", "≤ 20 ms". */
  readonly goal: string;
}

const say = (line: string) => console.error(line);
const perSecond = (rate: number) => `${rate.toFixed(rate < 1000 ? 1 : 0)} frames/s`;
const ms = (value: number) => `${value.toFixed(2)} ms`;

const sections: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  async classify() {
    const serving = await measureClassify();
    const waiting = (arrivals: string, open: OpenLoopResult, goal: string): Row => ({
      what: `p99 of total time at 60 % of that load, ${arrivals} (${open.frames} frames, ${open.lost} lost)`,
      yardstick: "the bare engine's run of one frame",
      measured: `${ms(open.p99Ms)} (p50 ${ms(open.p50Ms)}) ÷ ${ms(serving.engineRunOfOneMs)}`,
      value: open.p99Ms / serving.engineRunOfOneMs,
      goal,
    });
    return [
      {
        what: 'streaming Classify, 64 KiB raw frames, 8 streams',
        yardstick: 'the bare engine loop on the same cores',
        measured: `${perSecond(serving.serverFramesPerSecond)} ÷ ${perSecond(serving.engineFramesPerSecond)}`,
        value: serving.throughputRatio,
        goal: '≥ 0.95',
      },
      waiting('each stream by its clock', serving.clocked, '≤ 3'),
      waiting('in random bunches', serving.random, ''),
      ...(['clocked', 'random'] as const).map((arrivals) => ({
        what: `the same p99, ${arrivals === 'clocked' ? 'each stream by its clock' : 'in random bunches'}`,
        yardstick: 'the bare engine, given the same arrivals',
        measured: `${ms(serving[arrivals].p99Ms)} ÷ ${ms(serving.bareP99Ms[arrivals])}`,
        value: serving[arrivals].p99Ms / serving.bareP99Ms[arrivals],
        goal: '',
      })),
      {
        what: 'longest event-loop stall while serving',
        yardstick: '–',
        measured: ms(serving.stallMs),
        value: serving.stallMs,
        goal: '≤ 20 ms',
      },
    ];
  },
  async isolation() {
    const { alone, beside, trainedPerSecond } = await measureIsolation();
    return [
      {
        what: `p99 of total time at 100 frames/s while a run trains on the same cores (${beside.lost + alone.lost} lost)`,
        yardstick: 'the same without a run',
        measured: `${ms(beside.p99Ms)} (p50 ${ms(beside.p50Ms)}) ÷ ${ms(alone.p99Ms)} (p50 ${ms(alone.p50Ms)})`,
        value: beside.p99Ms / alone.p99Ms,
        goal: '',
      },
      {
        what: 'frames that the run trains meanwhile',
        yardstick: 'with nobody to make room for',
        measured: `${perSecond(trainedPerSecond.beside)} ÷ ${perSecond(trainedPerSecond.alone)}`,
        value: trainedPerSecond.beside / trainedPerSecond.alone,
        goal: '',
      },
    ];
  },
  async transport() {
    const rows = await measureTransport({}, say);
    return rows.map(({ frameBytes, yardstick, ours, theirs, ratio }) => ({
      what: `transport only, ${frameBytes / 1024} KiB frames, CPU of the server a frame`,
      yardstick: `a bare server of gRPC's ${yardstick}`,
      measured: `${ms(theirs.cpuMs)} (${perSecond(theirs.framesPerSecond)}) ÷ ${ms(ours.cpuMs)} (${perSecond(ours.framesPerSecond)})`,
      value: ratio,
      goal: yardstick === 'C++' ? '≥ 0.8' : '≥ 1.7',
    }));
  },
  async prepare() {
    const rows: Row[] = [];
    for (const bits of [8, 16] as const) {
      const { oursMs, sharpMs, ratio } = await measurePrepare(bits);
      rows.push({
        what: `prepare: four 512² ${bits}-bit PNG planes to 4×128×128, CPU a frame`,
        yardstick: "sharp's own decode and resize",
        measured: `${ms(oursMs)} ÷ ${ms(sharpMs)}`,
        value: ratio,
        goal: bits === 8 ? '≤ 0.4' : '',
      });
    }
    return rows;
  },
  async loading() {
    const { framesPerSecond, boundPerSecond, ratio } = await measureFirstPass();
    return [
      {
        what: 'first pass of a training over 2048² 8-bit PNG planes, into the cache',
        yardstick: 'all cores preparing frames and nothing else',
        measured: `${perSecond(framesPerSecond)} ÷ ${perSecond(boundPerSecond)}`,
        value: ratio,
        goal: '≥ 0.85',
      },
    ];
  },
  async training() {
    const step = await benchTrainingStep({}, say);
    return [
      {
        what: 'training step, batch 32 of 4×128×128, 2 threads',
        yardstick: 'PyTorch on the same cores',
        measured: `${ms(step.stepMs)} ÷ ${step.yardstickMs === null ? 'no PyTorch here' : ms(step.yardstickMs)}`,
        value: step.ratio,
        goal: '≤ 0.7',
      },
      {
        what: 'peak memory of that training process',
        yardstick: '–',
        measured: `${step.peakMib.toFixed(0)} MiB`,
        value: step.peakMib,
        goal: '≤ 1536 MiB',
      },
    ];
  },
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in sections));
if (unknown.length > 0) {
  console.error(`bench: expected ${Object.keys(sections).join(', ')}, got ${unknown.join(', ')}`);
  process.exit(2);
}

const rows: Row[] = [];
for (const [name, measure] of Object.entries(sections)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  say(`measuring ${name} ...`);
  rows.push(...(await measure()));
}

const machine = await describeMachine();
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
// The README's table is of one run: a part of it would leave out, or mix in, other times.
if (wanted.length > 0) {
  say('bench/results/latest.json is left as it was: it keeps runs of all sections');
} else {
  const results = join(packageRoot, 'bench/results');
  await mkdir(results, { recursive: true });
  await writeFile(
    join(results, 'latest.json'),
    `${JSON.stringify({ at: new Date().toISOString(), machine, rows }, null, 2)}\n`,
  );
}
