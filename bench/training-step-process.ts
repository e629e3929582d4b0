// Runs training steps of a network in a process of its own: it says "ready" and
// where they run, answers each line of its input with the milliseconds of one step, and the
// end of input with its peak memory in MiB. Arguments: threads, frames a batch, a device (the
// CPU), steps a call (1): then it answers with the milliseconds of one of them, the network
// (seed-cnn) and the edge of its frames in px (128).
import { createInterface } from 'node:readline';
import { createOnnxGraphRunner, type DeviceName, devices } from '../src/engines/index.js';
import { buildTrainingStep, initialiseParameters, repeatStep } from '../src/graph/index.js';
import { createNetwork } from '../src/training/networks/index.js';
import { createStepRunner } from '../src/training/step-runner.js';

const [threads, batchSize] = process.argv.slice(2, 4).map(Number) as [number, number];
const device = (process.argv[4] ?? 'cpu') as DeviceName; // what the benchmark says
const stepsPerCall = Number(process.argv[5] ?? 1);
const networkName = process.argv[6] ?? 'seed-cnn';
const sizePx = Number(process.argv[7] ?? 128);
const shape = { channels: 4, heightPx: sizePx, widthPx: sizePx, labelCount: 28 };
const network = createNetwork(networkName, shape);
const step = buildTrainingStep(network, {
  batchSize,
  lacks: devices[device].lacks,
  framesAtOnce: devices[device].trainingFramesAtOnce,
});
const { model } = stepsPerCall > 1 ? repeatStep(step, stepsPerCall) : step;
const runner = await createOnnxGraphRunner(model, { device, threads });
const steps = createStepRunner(
  { step, state: initialiseParameters(network, 1), seed: 1, stepsPerCall },
  { runner },
);
const batch = {
  pixels: Uint8Array.from(
    { length: batchSize * 4 * sizePx * sizePx },
    (_, i) => Math.imul(i, 2654435761) >>> 24,
  ),
  targets: Float32Array.from({ length: batchSize * 28 }, (_, i) => (i % 17 === 0 ? 1 : 0)),
  frameCount: batchSize,
};
const planned = Array.from({ length: stepsPerCall }, () => ({ batch, learningRate: 1e-3 }));
console.log(`ready ${runner.device}`);
for await (const _line of createInterface({ input: process.stdin })) {
  const startedAt = performance.now();
  await steps.runAll(planned);
  console.log((performance.now() - startedAt) / stepsPerCall);
}
console.log(process.resourceUsage().maxRSS / 1024);
await runner.close();
