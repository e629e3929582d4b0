// Raw planes of 1024² on their way to answers, in a process of its own: resized on the CPU, and in
// the graph. Arguments: device, precision, workers, milliseconds for each way. The rule is `area`, which
// reads every pixel. Prints a line of JSON for each way.
import { availableParallelism } from 'node:os';
import type { DeviceName, Precision } from '../../src/engines/index.js';
import {
  bytesPerPixel,
  createPreparer,
  type Frame,
  hpaChannels,
  type InputSpec,
  levelsOf,
  planResize,
} from '../../src/frames/index.js';
import { buildInference, initialiseParameters } from '../../src/graph/index.js';
import { openOnnxRuntime } from '../../src/server/open-engine.js';
import { createLog } from '../../src/telemetry/index.js';
import { createNetwork } from '../../src/training/networks/index.js';
import { percentile } from '../median.js';

const [device, precision, workers, forMs] = process.argv.slice(2) as [
  DeviceName,
  Precision,
  string,
  string,
];
const from = { widthPx: 1024, heightPx: 1024 } as const;
/** A batch of raw planes has 32 MiB at most. */
const mostBatchBytes = 32 * 1024 * 1024;
const inputSpec: InputSpec = {
  channels: hpaChannels,
  widthPx: 128,
  heightPx: 128,
  resize: 'area',
};
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
  precision,
} as const;
const settings = {
  ...{ device, precision },
  ...{ engineWorkers: Number(workers), engineThreads: 0 },
};
const engine = await openOnnxRuntime(settings, createLog({ level: 'warn' }));
const preparer = createPreparer({ threads: availableParallelism(), maxQueuedFrames: 4096 });

for (const pixelType of ['uint8', 'uint16'] as const) {
  const planeBytes = from.widthPx * from.heightPx * bytesPerPixel[pixelType];
  const plane = Uint8Array.from(
    { length: planeBytes },
    (_, at) => Math.imul(at + 7, 2654435761) >>> 24,
  );
  // Each frame's own: the preparer takes them over, as it does those of a message.
  const frame = (): Frame => ({
    ...{ id: '', ...from, pixelType, significantBits: 0, encoding: 'raw' },
    planes: hpaChannels.map((channel) => ({ channel, bytes: plane.slice() })),
  });
  const raw = {
    ...{ ...from, pixelType, plan: planResize(from, inputSpec) },
    levels: levelsOf(pixelType, 0),
  };
  const batchSize = Math.floor(mostBatchBytes / (4 * planeBytes));
  for (const way of ['CPU', 'graph'] as const) {
    const staysRaw = way === 'graph';
    const session = await engine.load(staysRaw ? { ...spec, raw } : spec);
    const runs: number[] = [];
    const serve = async (untilMs: number) => {
      do {
        const at = performance.now();
        const prepared = await Promise.all(
          Array.from({ length: batchSize }, () =>
            preparer.prepare(frame(), inputSpec, undefined, { staysRaw, whenFull: 'keep' }),
          ),
        );
        const rowBytes = prepared[0]?.pixels.byteLength ?? 0;
        const batch = new Uint8Array(batchSize * rowBytes);
        for (const [row, { pixels }] of prepared.entries()) batch.set(pixels, row * rowBytes);
        await session.run(batch, batchSize);
        runs.push(performance.now() - at);
      } while (performance.now() < untilMs);
    };
    // One batch on each lane, and one that is prepared for it.
    const serveAll = (ms: number) => {
      const untilMs = performance.now() + ms;
      return Promise.all(Array.from({ length: 2 * session.lanes }, () => serve(untilMs)));
    };
    await serveAll(Number(forMs) / 4);
    runs.length = 0;
    const startedAtMs = performance.now();
    await serveAll(Number(forMs));
    const seconds = (performance.now() - startedAtMs) / 1000;
    await session.close();
    const framesPerSecond = (runs.length * batchSize) / seconds;
    const times = { p50Ms: percentile(runs, 0.5), p99Ms: percentile(runs, 0.99) };
    const what = `4 x 1024² ${pixelType}, resized ${way === 'CPU' ? 'on the CPU' : 'in the graph'}`;
    console.log(JSON.stringify({ what, batchSize, framesPerSecond, ...times }));
  }
}
await engine.close();
await preparer.close();
