// `npm run soak [-- --frames N --real-frames N --minutes M --json]`: a server under load for
// long, its memory read from outside, every answer checked. Writes bench/results/soak.json;
// exit code 1 when a frame was lost, the memory grew, or the time did not suffice to tell.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createProgress } from '../src/cli/progress.js';
import { packageRoot } from '../src/package-root.js';
import { describeMachine } from './machine.js';
import { runSoak, type SoakResult } from './soak/run-soak.js';

const usage = `usage: npm run soak -- [options]
  --frames N       frames with the fake engine; 0 leaves it out (default 1000000)
  --real-frames N  frames with the real engine; 0 leaves it out (default 20000)
  --minutes M      longest time of both together (default 10)
  --json           print the result as JSON`;

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        frames: { type: 'string', default: '1000000' },
        'real-frames': { type: 'string', default: '20000' },
        minutes: { type: 'string', default: '10' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const numbers = [values.frames, values['real-frames'], values.minutes].map(Number);
    const [fake = 0, real = 0, minutes = 0] = numbers;
    const areFit = Number.isInteger(fake) && Number.isInteger(real) && fake >= 0 && real >= 0;
    if (values.help || !areFit || !(minutes > 0)) throw new Error('expected numbers from 0 up');
    return { fake, real, minutes, json: values.json };
  } catch (error) {
    console.error(`soak: ${error instanceof Error ? error.message : error}\n${usage}`);
    return process.exit(2);
  }
}

// What was started ends with this process, also when that is told to end.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const { fake, real, minutes, json } = readArguments();
const endMs = performance.now() + minutes * 60_000;
const results: SoakResult[] = [];
// The real engine first, with at most half of the time: its frames are few and slow.
for (const [kind, frames, share] of [
  ['real', real, 0.5],
  ['fake', fake, 1],
] as const) {
  if (frames === 0) continue;
  const progress = createProgress(
    { title: `soak, ${kind} engine`, unit: 'frames', total: frames },
    { stream: process.stderr },
  );
  const forMs = (endMs - performance.now()) * share;
  const result = await runSoak({ kind, frames, forMs }, (answered, remark) =>
    progress.update(answered, remark),
  ).finally(() => progress.end());
  results.push(result);
  if (!json) tell(result);
}

const isWell = results.every(({ faults }) => faults.length === 0);
const report = { at: new Date().toISOString(), machine: await describeMachine(), isWell, results };
const folder = join(packageRoot, 'bench/results');
await mkdir(folder, { recursive: true });
await writeFile(join(folder, 'soak.json'), `${JSON.stringify(report, null, 2)}\n`);
if (json) console.log(JSON.stringify(report));
else console.log(isWell ? 'soak: passed' : 'soak: FAILED');
process.exit(isWell ? 0 : 1);

function tell({ kind, wanted, admitted, lost, doubled, crossed, ...rest }: SoakResult): void {
  const { memory, seconds, framesPerSecond, outcomes, faults } = rest;
  const cut = admitted < wanted ? ` of ${wanted}, the time was up` : '';
  console.log(
    `${kind} engine: ${admitted} frames${cut} in ${seconds.toFixed(0)} s (${framesPerSecond.toFixed(0)}/s): ` +
      `${Object.entries(outcomes)
        .map(([outcome, frames]) => `${frames} ${outcome}`)
        .join(', ')}; ` +
      `lost ${lost}, doubled ${doubled}, crossed ${crossed}; ` +
      `memory ${memory.afterMib.toFixed(0)} MiB after ${memory.afterFrames} frames, ` +
      `${memory.endMib.toFixed(0)} MiB at the end (× ${memory.ratio.toFixed(2)}, peak ${memory.peakMib.toFixed(0)} MiB)`,
  );
  for (const fault of faults) console.log(`  FAULT: ${fault}`);
}
