import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { createOnnxGraphRunner } from '../../src/engines/index.js';
import { createGraphBuilder } from '../../src/graph/graph-builder.js';
import { buildTrainingStep, type Loss } from '../../src/graph/index.js';
import { createLossWriter } from '../../src/graph/loss.js';
import { createTape } from '../../src/graph/tape.js';
import { packageRoot } from '../../src/package-root.js';
import { meanLoss } from '../../src/training/process/run-loss.js';
import { smallNetwork } from './small-network.js';

interface GoldenLosses {
  readonly frames: number;
  readonly labels: number;
  readonly logits: readonly number[];
  readonly targets: readonly number[];
  readonly positiveWeights: readonly number[];
}

const golden = JSON.parse(
  readFileSync(join(packageRoot, 'test/golden/trainer-choices.json'), 'utf8'),
).losses as GoldenLosses &
  Record<string, { readonly loss: number; readonly gradient: readonly number[] }>;

const { frames, labels, positiveWeights } = golden;
const cases: Readonly<Record<string, Loss>> = {
  bce: { kind: 'bce' },
  weighted: { kind: 'weighted', positiveWeights },
  focal: { kind: 'focal', gamma: 2 },
  'focal0.5': { kind: 'focal', gamma: 0.5 },
};

for (const [name, loss] of Object.entries(cases)) {
  test(`the loss ${name} and its gradient are PyTorch's`, async (t) => {
    const { value, gradient } = await evaluate(loss, Float32Array.from(golden.logits));
    // Float32's rounding of losses of up to 60.
    t.true(Math.abs(value - golden[name]!.loss) < 2e-6, `${value}, not ${golden[name]!.loss}`);
    for (const [at, expected] of golden[name]!.gradient.entries()) {
      t.true(Math.abs(gradient[at]! - expected) < 1e-6, `${at}: ${gradient[at]}, not ${expected}`);
    }
  });

  test(`the loss ${name} of probabilities is that of their logits`, (t) => {
    const probabilities = Float32Array.from(golden.logits, (z) => 1 / (1 + Math.exp(-z)));
    const table = { targets: Uint8Array.from(golden.targets), labelCount: labels };
    // A probability near 1 keeps seven digits, its distance from 1 fewer.
    t.true(Math.abs(meanLoss(loss, probabilities, table) - golden[name]!.loss) < 1e-4);
  });

  test(`the loss ${name} neither overflows nor loses its gradient where it is sure`, async (t) => {
    const logits = Float32Array.from({ length: frames * labels }, (_, at) =>
      golden.targets[at] === 1 ? -500 : 500,
    );
    const { value, gradient } = await evaluate(loss, logits);
    t.true(Number.isFinite(value) && value >= 500 * Math.min(1, ...positiveWeights));
    t.true(gradient.every((slope, at) => slope !== 0 && slope < 0 === (golden.targets[at] === 1)));
    const sure = await evaluate(
      loss,
      logits.map((z) => -z),
    );
    t.is(sure.value, 0);
    t.true(sure.gradient.every((slope) => Math.abs(slope) === 0));
  });
}

test('a weight too few or too many is refused', (t) => {
  for (const count of [0, 2, 4]) {
    const loss: Loss = { kind: 'weighted', positiveWeights: new Array(count).fill(1) };
    t.throws(() => buildTrainingStep(smallNetwork, { batchSize: 2, loss }), {
      code: 'option_invalid',
      message: `expected a weight for each of 3 labels, got ${count}`,
    });
  }
});

/** The mean loss over all frames, and its gradient by the logits. */
async function evaluate(loss: Loss, logitValues: Float32Array) {
  const builder = createGraphBuilder('loss');
  const logits = builder.input('logits', 'float32', [frames, labels]);
  const targets = builder.input('targets', 'float32', [frames, labels]);
  const shares = builder.input('shares', 'float32', [frames]);
  const tape = createTape(builder, [logits]);
  const value = createLossWriter(builder, loss, labels)(tape, { logits, targets, shares });
  builder.output('loss', value);
  builder.output('gradient', tape.gradients(value)[0]!);
  const runner = await createOnnxGraphRunner(builder.toModel(), { threads: 1 });
  const results = await runner.run({
    logits: { type: 'float32', shape: [frames, labels], values: logitValues },
    targets: {
      type: 'float32',
      shape: [frames, labels],
      values: Float32Array.from(golden.targets),
    },
    shares: { type: 'float32', shape: [frames], values: new Float32Array(frames).fill(1 / frames) },
  });
  await runner.close();
  return {
    value: Number(results['loss']!.values[0]),
    gradient: results['gradient']!.values as Float32Array,
  };
}
