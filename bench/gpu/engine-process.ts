// The bare engine on one device, in a process of its own. Arguments: device,
// precision, workers, milliseconds for each batch size, batch sizes. Prints how far its answers lie from the CPU's,
// and then a line of JSON for each batch size.
import { createOnnxEngine, type DeviceName, type Precision } from '../../src/engines/index.js';
import { buildInference, initialiseParameters } from '../../src/graph/index.js';
import { openOnnxRuntime } from '../../src/server/open-engine.js';
import { createLog } from '../../src/telemetry/index.js';
import { createNetwork } from '../../src/training/networks/index.js';
import { percentile } from '../median.js';

const [device, precision, workers, forMs, sizes] = process.argv.slice(2) as [
  DeviceName,
  Precision,
  string,
  string,
  string,
];
const network = createNetwork('seed-cnn', {
  channels: 4,
  heightPx: 128,
  widthPx: 128,
  labelCount: 28,
});
const spec = {
  model: buildInference(network, initialiseParameters(network, 1)),
  inputShape: [4, 128, 128],
  labelCount: 28,
} as const;
const rowBytes = 4 * 128 * 128;
const rowsOf = (count: number) =>
  Uint8Array.from({ length: count * rowBytes }, (_, at) => Math.imul(at + 7, 2654435761) >>> 24);

const settings = {
  ...{ device, precision },
  ...{ engineWorkers: Number(workers), engineThreads: 0 },
};
const engine = await openOnnxRuntime(settings, createLog({ level: 'warn' }));
const session = await engine.load({ ...spec, precision });

const cpu = await createOnnxEngine();
const expected = await (await cpu.load(spec)).run(rowsOf(8), 8);
await cpu.close();
const got = await session.run(rowsOf(8), 8);
const distance = got.probabilities.reduce(
  (most, value, at) => Math.max(most, Math.abs(value - (expected.probabilities[at] ?? Number.NaN))),
  0,
);
console.log(JSON.stringify({ device: session.device, lanes: session.lanes, distance }));

for (const batchSize of sizes.split(',').map(Number)) {
  const runs: number[] = [];
  const runLane = async (untilMs: number) => {
    let input = rowsOf(batchSize);
    do {
      const at = performance.now();
      ({ input } = (await session.run(input, batchSize)) as { input: Uint8Array<ArrayBuffer> });
      runs.push(performance.now() - at);
    } while (performance.now() < untilMs);
  };
  const runLanes = (ms: number) => {
    const untilMs = performance.now() + ms;
    return Promise.all(Array.from({ length: session.lanes }, () => runLane(untilMs)));
  };
  await runLanes(Number(forMs) / 4); // a new shape is compiled first
  runs.length = 0;
  const startedAtMs = performance.now();
  await runLanes(Number(forMs));
  const seconds = (performance.now() - startedAtMs) / 1000;
  const framesPerSecond = (runs.length * batchSize) / seconds;
  const times = { p50Ms: percentile(runs, 0.5), p99Ms: percentile(runs, 0.99) };
  console.log(JSON.stringify({ batchSize, framesPerSecond, ...times }));
}
await engine.close();
