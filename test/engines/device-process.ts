// Serves and trains on one device and on the CPU, in a process of its own: the loader's folders
// are fixed when a process starts, and a driver may take its process down. Argument: the
// device. Prints one line of JSON.
import {
  createOnnxEngine,
  createOnnxGraphRunner,
  type DeviceName,
  devices,
  type GraphTensor,
} from '../../src/engines/index.js';
import { type InputSpec, planResize } from '../../src/frames/index.js';
import { buildInference, buildTrainingStep, initialiseParameters } from '../../src/graph/index.js';
import { createNetwork } from '../../src/training/networks/index.js';
import { openStep } from '../../src/training/process/open-step.js';
import { goldenInputs, goldenParameters, networkOf, readGolden } from '../graph/golden.js';
import { newSpec } from '../training/run-fixtures.js';
import { mirrorModel } from './mirror-model.js';

/** A simulated GPU on a busy machine is slow, not hung: the test's own time limit ends it. */
const watch = { runTimeoutMs: 600_000, loadTimeoutMs: 600_000 } as const;

const device = process.argv[2] as DeviceName; // what the test says

/** Where two lists lie furthest apart. */
const largestDistance = (one: ArrayLike<number>, other: ArrayLike<number>): number =>
  Array.from(one).reduce(
    (most, value, index) => Math.max(most, Math.abs(value - (other[index] ?? Number.NaN))),
    one.length === other.length ? 0 : Number.NaN,
  );

/** Probabilities of `seed-cnn` at each batch size, row by row. */
async function classify(on: DeviceName) {
  const [channels, sizePx, labelCount] = [4, 40, 28] as const;
  const network = createNetwork('seed-cnn', {
    channels,
    heightPx: sizePx,
    widthPx: sizePx,
    labelCount,
  });
  const model = buildInference(network, initialiseParameters(network, 3));
  const engine = await createOnnxEngine({ device: on, threads: 1, ...watch });
  const inputShape = [channels, sizePx, sizePx] as const;
  const session = await engine.load({ model, inputShape, labelCount });
  const rows: number[] = [];
  for (const batchSize of [1, 3]) {
    const input = Uint8Array.from(
      { length: batchSize * channels * sizePx * sizePx },
      (_, at) => Math.imul(at + 7, 2654435761) >>> 24,
    );
    rows.push(...(await session.run(input, batchSize)).probabilities);
  }
  const half = await engine
    .load({ model, inputShape, labelCount, precision: 'half' })
    .then((halved) => halved.run(new Uint8Array(channels * sizePx * sizePx), 1))
    .then(
      () => 'runs',
      (error: Error) => error.message,
    );
  await engine.close();
  return { rows, half, device: session.device };
}

/** The outputs of the first step of a small network, with its gradients. */
async function train(on: DeviceName): Promise<Record<string, GraphTensor>> {
  const golden = readGolden('small');
  const network = networkOf(golden);
  const step = buildTrainingStep(network, {
    batchSize: golden.frames,
    withGradients: true,
    lacks: devices[on].lacks,
  });
  const weights = goldenParameters(network);
  const state = step.inputs
    .filter(({ name }) => step.stateNames.includes(name))
    .map(({ name, shape }): [string, GraphTensor] => {
      const bound = shape.map(Number);
      const count = bound.reduce((all, size) => all * size, 1);
      const values = weights.get(name)?.values ?? new Float32Array(count);
      return [name, { type: 'float32', shape: bound, values }];
    });
  const runner = await createOnnxGraphRunner(step.model, { device: on, threads: 1 });
  const inputs = { ...Object.fromEntries(state), ...goldenInputs(golden, step, 1) };
  const outputs = await runner.run(inputs);
  await runner.close();
  return { ...outputs };
}

/** Where a run would train that network, and what it would tell of that. */
async function place(on: DeviceName): Promise<string> {
  const { runner, note } = await openStep({
    ...{ spec: newSpec({ batchSize: 2 }), network: networkOf(readGolden('small')) },
    ...{ loss: { kind: 'bce' }, devices: [on], stepsPerCall: 0, threads: 1 },
    tensorflowPackage: null,
  });
  await runner.close();
  return `${runner.device}: ${note}`;
}

/** What becomes of raw planes that the graph resizes: boxes, areas, mixing. */
async function resize(on: DeviceName) {
  const engine = await createOnnxEngine({ device: on, threads: 1, ...watch });
  const inputShape = [2, 16, 16] as const;
  const levels: number[] = [];
  const places = new Set<string>();
  for (const [rule, widthPx, heightPx] of [
    ['area', 64, 48],
    ['area', 50, 37],
    ['bilinear', 50, 37],
  ] as const) {
    const spec: InputSpec = { channels: ['a', 'b'], widthPx: 16, heightPx: 16, resize: rule };
    const plan = planResize({ widthPx, heightPx }, spec);
    const raw = { pixelType: 'uint8', widthPx, heightPx, plan, levels: null } as const;
    const model = mirrorModel(inputShape);
    const session = await engine.load({ model, inputShape, labelCount: 512, raw });
    const planes = Uint8Array.from(
      { length: 2 * widthPx * heightPx },
      (_, at) => Math.imul(at + 7, 2654435761) >>> 24,
    );
    places.add(session.device);
    levels.push(...(await session.run(planes, 1)).probabilities);
    await session.close();
  }
  await engine.close();
  return { levels, devices: [...places] };
}

const [resizedHere, resizedOnCpu] = [await resize(device), await resize('cpu')];
const [here, cpu] = [await classify(device), await classify('cpu')];
const [step, expected] = [await train(device), await train('cpu')];
const stepDistances = Object.entries(expected).map(
  ([name, { values }]) =>
    [
      name,
      largestDistance(Array.from(step[name]!.values, Number), Array.from(values, Number)),
    ] as const,
);
console.log(
  JSON.stringify({
    device: here.device,
    half: here.half,
    probabilities: here.rows.length,
    distance: largestDistance(here.rows, cpu.rows),
    spread: Math.max(...cpu.rows) - Math.min(...cpu.rows),
    resized: {
      devices: resizedHere.devices,
      levels: new Set(resizedOnCpu.levels).size,
      distance: largestDistance(resizedHere.levels, resizedOnCpu.levels),
    },
    step: Object.fromEntries(stepDistances),
    place: await place(device),
  }),
);
