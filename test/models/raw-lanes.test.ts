import test, { type ExecutionContext } from 'ava';
import {
  createOnnxEngine,
  type Engine,
  type ResizePlace,
  type SessionSpec,
} from '../../src/engines/index.js';
import {
  bytesPerPixel,
  createPreparer,
  type Frame,
  type InputSpec,
} from '../../src/frames/index.js';
import { buildInference, initialiseParameters, type Network } from '../../src/graph/index.js';
import { createGoldenFrame, type Manifest } from '../../src/models/index.js';
import { createRawLanes, type RawLanesOptions } from '../../src/models/raw-lanes.js';

const labels = ['Nucleus', 'Cytosol', 'Golgi'];
const network: Network = {
  name: 'small',
  inputShape: [2, 16, 16],
  layers: [
    { kind: 'conv', name: 'conv1', filters: 8, kernelPx: 3 },
    { kind: 'relu' },
    { kind: 'flatten' },
    { kind: 'dense', name: 'dense1', units: labels.length },
  ],
};
const channels = ['protein', 'nucleus'];

/** A raw frame of noise, the same for the same seed. */
function frameOf(
  pixelType: 'uint8' | 'uint16',
  widthPx: number,
  heightPx: number,
  { seed = 1, bits = 0 } = {},
): Frame {
  let state = seed;
  const planes = channels.map((channel) => {
    const levels = Array.from({ length: widthPx * heightPx }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state >>> (32 - (bits || 8 * bytesPerPixel[pixelType]));
    });
    const pixels = pixelType === 'uint16' ? Uint16Array.from(levels) : Uint8Array.from(levels);
    const bytes = new Uint8Array(pixels.buffer);
    return { channel, bytes };
  });
  const about = { pixelType, significantBits: bits, encoding: 'raw' } as const;
  return { id: '', widthPx, heightPx, ...about, planes };
}

const copyOf = (frame: Frame): Frame => ({
  ...frame,
  planes: frame.planes.map(({ channel, bytes }) => ({ channel, bytes: bytes.slice() })),
});

interface Setting extends Partial<RawLanesOptions> {
  readonly rule?: InputSpec['resize'];
  readonly place?: ResizePlace;
  readonly precision?: 'full' | 'half';
  /** What is done to the spec of a lane before it is loaded. */
  readonly change?: (spec: SessionSpec) => SessionSpec;
  readonly batchSizes?: readonly number[];
  /** Where a lane says that it runs. */
  readonly elsewhere?: string;
  /** Whether the engine has the lanes not loaded again yet. */
  readonly isAway?: () => boolean;
}

/** The lanes of one version, a promise of each line of the log, and what frames give in both ways. */
async function lanesOf(t: ExecutionContext, setting: Setting = {}) {
  const { rule = 'area', place = 'graph', precision = 'full', change, elsewhere } = setting;
  const { batchSizes = [1, 4], isAway = () => false } = setting;
  const laneRuns = new Set<number>();
  const real = await createOnnxEngine({ threads: 1 });
  const preparer = createPreparer({ threads: 1 });
  const engine: Engine = {
    ...real,
    async load(spec) {
      const session = await real.load(spec.raw && change ? change(spec) : spec);
      if (!spec.raw) return session;
      const run: typeof session.run = (input, batchSize) => {
        laneRuns.add(batchSize);
        return session.run(input, batchSize);
      };
      return {
        ...{ ...session, run, device: elsewhere ?? session.device },
        get isReady() {
          return !isAway();
        },
      };
    },
  };
  const inputSpec: InputSpec = { channels, widthPx: 16, heightPx: 16, resize: rule };
  const spec: SessionSpec = {
    model: buildInference(network, initialiseParameters(network, 3)),
    inputShape: [2, 16, 16],
    labelCount: labels.length,
  };
  const session = await real.load({ ...spec, precision });
  const lines: { readonly level: string; readonly [field: string]: unknown }[] = [];
  let hear = () => {};
  const tell = (level: string) => (fields: object, message: string) => {
    lines.push({ level, message, ...fields });
    hear();
  };
  /** Resolves once so many lines are there. */
  const told = (count: number) =>
    new Promise<void>((resolve) => {
      hear = () => {
        if (lines.length >= count) resolve();
      };
      hear();
    });
  const manifest = { name: 'cells', version: 1, labels, inputSpec } as unknown as Manifest;
  const lanes = createRawLanes(
    { place, ...setting },
    {
      ...{ manifest, engine, spec, session, preparer, batchSizes },
      batcher: { batchSizes },
      golden: createGoldenFrame(inputSpec),
      log: { info: tell('info'), warn: tell('warn') },
    },
  );
  t.teardown(async () => {
    await lanes.close();
    await Promise.all([real.close(), preparer.close()]);
  });
  const onHost = async (frame: Frame) => {
    const { pixels } = await preparer.prepare(copyOf(frame), inputSpec);
    return (await session.run(new Uint8Array(pixels), 1)).probabilities;
  };
  const inGraph = async (frame: Frame) => {
    const lane = lanes.laneFor(frame);
    if (!lane) throw new Error(`no lane is there: ${lanes.note}`);
    const wish = { staysRaw: true };
    const { pixels } = await preparer.prepare(copyOf(frame), inputSpec, undefined, wish);
    try {
      return (await lane.batcher.submit(pixels)).probabilities;
    } finally {
      lane.release();
    }
  };
  return { lanes, lines, told, onHost, inGraph, laneRuns };
}

test('the first frame of a size goes by the CPU, and those after it are resized in the graph to the same answers', async (t) => {
  const { lanes, lines, told, onHost, inGraph } = await lanesOf(t);
  for (const [at, [type, width, height, bits]] of [
    ['uint16', 64, 48, 12] as const,
    ['uint8', 50, 37, 0] as const,
  ].entries()) {
    t.is(lanes.laneFor(frameOf(type, width, height, { bits })), null);
    t.is(lanes.laneFor(frameOf(type, width, height, { bits })), null, 'it is being opened');
    await told(at + 1);
    const frames = [1, 2, 3, 4, 5].map((seed) => frameOf(type, width, height, { seed, bits }));
    const answers = await Promise.all(frames.map(inGraph));
    for (const [index, frame] of frames.entries()) {
      const expected = await onHost(frame);
      const answer = answers[index] ?? [];
      // The same bytes and the same network; its batches may be of another size.
      for (const [label, value] of expected.entries()) {
        t.true(Math.abs(value - (answer[label] ?? Number.NaN)) < 1e-6);
      }
    }
    t.true(new Set(answers.map((answer) => answer[0])).size > 1, 'each frame has its own answer');
  }
  t.deepEqual(
    lines.map(({ level, planes }) => [level, planes]),
    [
      ['info', '64 x 48 uint16 of 12 bits'],
      ['info', '50 x 37 uint8'],
    ],
  );
  t.is(lanes.note, '64 x 48 uint16 of 12 bits in the graph; 50 x 37 uint8 in the graph');
  t.deepEqual(lanes.queued, { frames: 0, bytes: 0 });
});

test('frames go by the CPU while the engine has a lane not loaded again', async (t) => {
  let isAway = false;
  const { lanes, lines, told, inGraph } = await lanesOf(t, { isAway: () => isAway });
  const frame = frameOf('uint16', 64, 48);
  lanes.laneFor(frame);
  await told(1);
  isAway = true;
  t.is(lanes.laneFor(frame), null);
  isAway = false;
  t.is((await inGraph(frame)).length, labels.length);
  t.is(lines.length, 1, 'it was opened once');
});

test('there are as many lanes as may be, and the one that was idle for long gives way', async (t) => {
  const busy = await lanesOf(t, { maxLanes: 1 });
  busy.lanes.laneFor(frameOf('uint8', 32, 32));
  t.is(busy.lanes.laneFor(frameOf('uint8', 48, 48)), null);
  await busy.told(1);
  t.is(busy.lanes.laneFor(frameOf('uint8', 48, 48)), null);
  t.is(busy.lanes.note, '32 x 32 uint8 in the graph', 'it is not idle for a minute yet');

  const idle = await lanesOf(t, { maxLanes: 1, idleMs: 0 });
  idle.lanes.laneFor(frameOf('uint8', 32, 32));
  await idle.told(1);
  const lent = idle.lanes.laneFor(frameOf('uint8', 32, 32));
  t.is(idle.lanes.laneFor(frameOf('uint8', 48, 48)), null);
  t.is(idle.lanes.note, '32 x 32 uint8 in the graph', 'what is lent stays');
  lent?.release();
  idle.lanes.laneFor(frameOf('uint8', 48, 48));
  await idle.told(2);
  t.is(idle.lanes.note, '48 x 48 uint8 in the graph');
  const answer = await idle.inGraph(frameOf('uint8', 48, 48));
  t.is(answer.length, labels.length);
});

test('what is encoded, float, too large, not whole or already right has no lane', async (t) => {
  const { lanes, lines } = await lanesOf(t);
  const sound = frameOf('uint16', 32, 32);
  const others: readonly Frame[] = [
    { ...sound, encoding: 'png' },
    { ...sound, pixelType: 'float32', widthPx: 16 },
    { ...sound, widthPx: 31 },
    { ...sound, widthPx: 0 },
    { ...sound, widthPx: 1e9, heightPx: 1e9 },
    { ...sound, significantBits: 17 },
    { ...sound, planes: sound.planes.slice(1) },
    frameOf('uint8', 16, 16),
    frameOf('uint8', 4096, 4112),
  ];
  for (const frame of others) t.is(lanes.laneFor(frame), null);
  await lanes.close();
  t.deepEqual(lines, []);
  t.is(lanes.note, '');
});

test('where only means are worth it, four mixed pixels stay with the CPU', async (t) => {
  const mixing = await lanesOf(t, { place: 'means', rule: 'bilinear' });
  mixing.lanes.laneFor(frameOf('uint8', 64, 64));
  await mixing.lanes.close();
  t.deepEqual(mixing.lines, []);
  const mean = await lanesOf(t, { place: 'means', rule: 'area' });
  mean.lanes.laneFor(frameOf('uint8', 64, 64));
  await mean.told(1);
  t.is(mean.lanes.note, '64 x 64 uint8 in the graph');
});

test('a size that the graph cannot do to the same bytes stays with the CPU, with the reason', async (t) => {
  const { lanes, lines, told } = await lanesOf(t);
  const large = frameOf('uint16', 17 * 16, 17 * 16);
  lanes.laneFor(large);
  await told(1);
  t.is(lanes.laneFor(large), null);
  const reason = 'expected boxes of uint16 pixels whose sum is below 16777216, got 17 x 17 px';
  t.like(lines[0], { level: 'warn', model: 'cells@1', planes: '272 x 272 uint16', reason });
  t.is(lanes.note, `272 x 272 uint16 on the CPU: ${reason}`);
  t.is(lines.length, 1, 'it is tried once');
});

test('a graph that resizes wrongly is found by the golden frame and not used', async (t) => {
  const { lanes, lines, told } = await lanesOf(t, {
    // As on a device that computes something else.
    change: (spec) => ({
      ...spec,
      raw: {
        ...spec.raw!,
        levels: Uint8Array.from({ length: 65_536 }, (_, at) => 255 - (at >> 8)),
      },
    }),
  });
  lanes.laneFor(frameOf('uint16', 32, 32));
  await told(1);
  t.like(lines[0], { level: 'warn', planes: '32 x 32 uint16' });
  t.regex(
    String(lines[0]?.['reason']),
    /^resized in the graph its golden frame gave 0\.\d+ for label \d of 3 in a batch of 1, resized on the CPU 0\.\d+; expected them within 0\.0001$/,
  );
  t.is(lanes.laneFor(frameOf('uint16', 32, 32)), null);
});

test('a graph that would leave the device is not used', async (t) => {
  const { lanes, told } = await lanesOf(t, { elsewhere: 'onnxruntime/cuda+cpu' });
  lanes.laneFor(frameOf('uint8', 32, 32));
  await told(1);
  t.is(
    lanes.note,
    '32 x 32 uint8 on the CPU: it would run on onnxruntime/cuda+cpu, not on onnxruntime/cpu',
  );
});

test('a version in half precision has lanes in half precision, whose pixels are resized in full', async (t) => {
  const { lanes, told, onHost, inGraph } = await lanesOf(t, { precision: 'half' });
  const frame = frameOf('uint16', 64, 64);
  lanes.laneFor(frame);
  await told(1);
  t.is(lanes.note, '64 x 64 uint16 in the graph');
  const [answer, expected] = [await inGraph(frame), await onHost(frame)];
  for (const [label, value] of expected.entries()) {
    t.true(Math.abs(value - (answer[label] ?? Number.NaN)) < 1e-6);
  }
});

test('no batch of a lane is larger than 32 MiB, whatever sizes the version is run in', async (t) => {
  const many = await lanesOf(t, { batchSizes: [1, 2, 64] });
  const frame = frameOf('uint8', 2048, 1024);
  many.lanes.laneFor(frame);
  await many.told(1);
  t.deepEqual([...many.laneRuns], [1, 2]);
  const one = await lanesOf(t, { batchSizes: [64] });
  one.lanes.laneFor(frame);
  await one.told(1);
  t.deepEqual([...one.laneRuns], [8], '8 frames of 4 MiB');
  t.is((await one.inGraph(frame)).length, labels.length);
});
