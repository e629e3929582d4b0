import test from 'ava';
import { createOnnxGraphRunner } from '../../src/engines/index.js';
import { createGraphBuilder } from '../../src/graph/graph-builder.js';
import {
  buildInference,
  buildTrainingStep,
  initialiseParameters,
  toHalfPrecision,
} from '../../src/graph/index.js';
import { operators } from '../../src/graph/operators/index.js';
import { createNetwork } from '../../src/training/networks/index.js';
import { createStepRunner } from '../../src/training/step-runner.js';

const everyLevel = Array.from({ length: 256 }, (_, level) => level);
/** Of these mean(x²) - mean(x)² came out below -1e-5 in float32, or far above 0. */
const badLevels = [122, 126, 130, 142, 150, 252, 253, 255];

for (const [sizePx, levels] of [
  [128, everyLevel],
  [256, badLevels],
] as const) {
  test(`a plane of one grey value, ${sizePx} px wide, is normalised to 0, with the gradient of a deviation of √1e-5`, async (t) => {
    const builder = createGraphBuilder('flat planes');
    const shape = [levels.length, 1, sizePx, sizePx];
    const input = builder.input('input', 'float32', shape);
    const outputGradient = builder.input('outputGradient', 'float32', shape);
    const forward = operators.groupNorm.forward(builder, [input], { groups: 1 });
    builder.output('output', forward.output);
    const [gradient] = operators.groupNorm.backward(
      builder,
      { ...forward, inputs: [input], attributes: { groups: 1 }, wanted: [true] },
      outputGradient,
    );
    builder.output('gradient', gradient!);
    const runner = await createOnnxGraphRunner(builder.toModel(), { threads: 1 });
    t.teardown(() => runner.close());
    const area = sizePx * sizePx;
    const values = new Float32Array(levels.length * area);
    for (const [at, level] of levels.entries()) {
      values.fill(Math.fround(level / 255), at * area, (at + 1) * area);
    }
    // Of mean 0, so that a place's gradient is its own over the deviation.
    const slopes = Float32Array.from(values, (_, at) => (at % 2 === 0 ? 1 : -1));
    const results = await runner.run({
      input: { type: 'float32', shape, values },
      outputGradient: { type: 'float32', shape, values: slopes },
    });
    // The runtime's mean of so many equal numbers is off by as much as 1.2e-4 of it, and √1e-5 divides that.
    const output = results['output']!.values as Float32Array;
    const wrong = output.findIndex((value) => !(Math.abs(value) < 0.05));
    t.is(wrong, -1, `level ${levels[Math.floor(wrong / area)]} gave ${output[wrong]}`);
    const gradients = results['gradient']!.values as Float32Array;
    const steepest = 1 / Math.sqrt(1e-5);
    const steep = gradients.findIndex(
      (value, at) => !(Math.abs(value / steepest - slopes[at]!) < 1e-3),
    );
    t.is(steep, -1, `level ${levels[Math.floor(steep / area)]} gave ${gradients[steep]}`);
  });
}

test('resnet-small answers frames of flat planes with numbers, in full and in half precision', async (t) => {
  for (const [sizePx, levels] of [
    [128, everyLevel],
    [256, badLevels],
  ] as const) {
    const shape = { channels: 4, heightPx: sizePx, widthPx: sizePx, labelCount: 28 };
    const network = createNetwork('resnet-small', shape);
    const model = buildInference(network, initialiseParameters(network, 1));
    for (const bytes of [model, toHalfPrecision(model)]) {
      const runner = await createOnnxGraphRunner(bytes, { threads: 1 });
      for (const level of levels) {
        const { probabilities } = await runner.run({ pixels: frameOf(level, sizePx) });
        const values = [...(probabilities!.values as Float32Array)];
        t.true(values.every(Number.isFinite), `level ${level}: ${values}`);
      }
      await runner.close();
    }
  }
});

test('a step on frames of flat planes of any level leaves every weight of resnet-small a number', async (t) => {
  const sizePx = 128;
  const area = sizePx * sizePx;
  const shape = { channels: 4, heightPx: sizePx, widthPx: sizePx, labelCount: 3 };
  const network = createNetwork('resnet-small', shape);
  const batchSize = 16;
  const step = buildTrainingStep(network, { batchSize });
  const graphRunner = await createOnnxGraphRunner(step.model, { threads: 1 });
  t.teardown(() => graphRunner.close());
  const runner = createStepRunner(
    { step, state: initialiseParameters(network, 1), seed: 1 },
    { runner: graphRunner },
  );
  const targets = Float32Array.from({ length: 3 * batchSize }, (_, at) => at % 2);
  for (let from = 0; from < 256; from += 4 * batchSize) {
    const pixels = Uint8Array.from(
      { length: batchSize * 4 * area },
      (_, at) => from + Math.floor(at / area),
    );
    const { loss } = await runner.run({ pixels, targets, frameCount: batchSize }, 1e-3);
    t.true(Number.isFinite(loss), `levels from ${from}: ${loss}`);
  }
  for (const [name, { values }] of runner.parameters()) {
    t.true(values.every(Number.isFinite), name);
  }
});

function frameOf(level: number, sizePx: number) {
  const shape = [1, 4, sizePx, sizePx];
  return { type: 'uint8', shape, values: new Uint8Array(4 * sizePx * sizePx).fill(level) } as const;
}
