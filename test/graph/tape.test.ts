import test from 'ava';
import { createOnnxGraphRunner } from '../../src/engines/index.js';
import { ModelProto } from '../../src/gen/onnx/onnx.js';
import { createGraphBuilder } from '../../src/graph/graph-builder.js';
import { buildTrainingStep } from '../../src/graph/index.js';
import { operators } from '../../src/graph/operators/index.js';
import { createTape } from '../../src/graph/tape.js';
import { smallNetwork } from './small-network.js';

test('a value that is used twice gets the sum of its gradients', async (t) => {
  const builder = createGraphBuilder('twice');
  const input = builder.input('input', 'float32', [1, 2]);
  const zeros = builder.input('bias', 'float32', [2]);
  const square = builder.input('kernel', 'float32', [2, 2]);
  const tape = createTape(builder, [square]);
  const once = tape.apply(operators.dense, [input, square, zeros]);
  const twice = tape.apply(operators.dense, [once, square, zeros]);
  const targets = builder.input('targets', 'float32', [1, 2]);
  const weights = builder.input('weights', 'float32', [1]);
  const loss = tape.apply(operators.sigmoidCrossEntropy, [twice, targets, weights]);
  builder.output('loss', loss);
  builder.output('gradient', tape.gradients(loss)[0]!);
  const runner = await createOnnxGraphRunner(builder.toModel(), { threads: 1 });
  const lossAt = async (kernel: readonly number[]) => {
    const results = await runner.run({
      input: { type: 'float32', shape: [1, 2], values: Float32Array.of(0.5, -1) },
      bias: { type: 'float32', shape: [2], values: new Float32Array(2) },
      kernel: { type: 'float32', shape: [2, 2], values: Float32Array.from(kernel) },
      targets: { type: 'float32', shape: [1, 2], values: Float32Array.of(1, 0) },
      weights: { type: 'float32', shape: [1], values: Float32Array.of(1) },
    });
    return { loss: Number(results['loss']!.values[0]), gradient: results['gradient']!.values };
  };
  const kernel = [0.3, -0.7, 0.9, 0.4];
  const { gradient } = await lossAt(kernel);
  for (const at of kernel.keys()) {
    const moved = (by: number) => kernel.map((value, index) => (index === at ? value + by : value));
    const difference = (await lossAt(moved(1e-2))).loss - (await lossAt(moved(-1e-2))).loss;
    // Central differences over 0.02 in float32: curvature and rounding of about 1e-5 each.
    t.true(Math.abs(difference / 0.02 - Number(gradient[at])) < 1e-4);
  }
  await runner.close();
});

test('no gradient is written for pixels', (t) => {
  const { model } = buildTrainingStep(smallNetwork, { batchSize: 2 });
  const nodes = ModelProto.decode(model).graph!.node;
  // One convolution, forward; its input's gradient would be a second.
  t.is(nodes.filter(({ opType }) => opType === 'Conv').length, 1);
});

test('asking for the gradient of a value that the loss does not depend on is a bug', (t) => {
  const builder = createGraphBuilder('apart');
  const value = builder.input('value', 'float32', [2]);
  const other = builder.input('other', 'float32', [2]);
  const tape = createTape(builder, [value, other]);
  const loss = tape.apply(operators.relu, [value]);
  t.throws(() => tape.gradients(loss), {
    message: 'bug: the loss does not depend on other',
  });
});
