// Whole epochs of a run on one device, in a process of its own: the steps, and the validation that
// follows them. Arguments: device, frames a batch, frames that train; a quarter as many validate.
// Prints one line of JSON about the second epoch: shapes are compiled in the first.
import type { DeviceName } from '../../src/engines/index.js';
import { initialiseParameters } from '../../src/graph/index.js';
import { hpaLabels } from '../../src/label-set.js';
import { completeSpec } from '../../src/training/complete-spec.js';
import { createNetwork } from '../../src/training/networks/index.js';
import { createBatchLoader } from '../../src/training/process/batch-loader.js';
import type { FrameSet } from '../../src/training/process/frame-set.js';
import { memorySource, toShared } from '../../src/training/process/frame-source.js';
import { learn } from '../../src/training/process/learn.js';
import { openStep } from '../../src/training/process/open-step.js';
import { parseRunSpec } from '../../src/training/run-spec.js';
import { createStepRunner } from '../../src/training/step-runner.js';

const device = process.argv[2] as DeviceName; // what the benchmark says
const [batchSize, frameCount] = process.argv.slice(3).map(Number) as [number, number];
const size = { channels: 4, heightPx: 128, widthPx: 128 } as const;
const labelCount = hpaLabels.length;
const network = createNetwork('seed-cnn', { ...size, labelCount });
const frameBytes = size.channels * size.heightPx * size.widthPx;
const shared = toShared(
  Uint8Array.from({ length: frameBytes }, (_, at) => Math.imul(at, 2654435761) >>> 24),
);

/** The same pixels again and again: what they show costs no time. */
function setOf(count: number): FrameSet {
  const numbers = Array.from({ length: count }, (_, number) => number);
  return {
    frames: numbers.map((number) => ({ id: `${number}`, labelIndices: [0], group: null })),
    source: memorySource([shared], frameBytes),
    places: numbers.map(() => 0),
    targets: Uint8Array.from({ length: count * labelCount }, (_, at) => Number(at % 17 === 0)),
    ...{ labelCount, frameBytes },
  };
}

const parsed = parseRunSpec({ dataPath: '/', model: 'bench', epochs: 2, batchSize });
if ('faults' in parsed) throw new Error(parsed.faults.join('; '));
const spec = completeSpec(parsed.value, null);
const loss = { kind: 'bce' } as const;
const ways = { devices: [device], stepsPerCall: 0, tensorflowPackage: null, threads: 0 };
const {
  step,
  stepsPerCall,
  runner: graphRunner,
  note,
} = await openStep({
  ...{ spec, network, loss, ...ways },
});
const state = initialiseParameters(network, 1);
const runner = createStepRunner({ step, state, seed: 1, stepsPerCall }, { runner: graphRunner });
const training = setOf(frameCount);
const validation = setOf(Math.ceil(frameCount / 4));
const loader = createBatchLoader({ set: training, size, spec, stepsPerCall });
const { history } = await learn(
  {
    ...{ spec, network, labels: hpaLabels, loss, training, validation },
    ...{ threads: 0, device, from: null },
  },
  {
    ...{ runner, loader, tell() {}, async save() {}, async rest() {} },
    ...{ isSaveDue: () => false, isStopRequested: () => false },
  },
);
await loader.close();
await graphRunner.close();
const seconds = history[1]?.seconds ?? Number.NaN;
console.log(JSON.stringify({ device: graphRunner.device, note, stepsPerCall, seconds }));
