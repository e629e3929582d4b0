import test from 'ava';
import { createTensorflowGraphRunner } from '../../src/engines/index.js';
import { buildTrainingStep } from '../../src/graph/index.js';
import { createNetwork } from '../../src/training/networks/index.js';
import { testTraining } from './tensorflow-training.js';

testTraining('tensorflow/cpu (js)', '@tensorflow/tfjs');

test('a network with a layer that TensorFlow has no form of here is refused by name', async (t) => {
  const shape = { channels: 4, heightPx: 64, widthPx: 64, labelCount: 5 };
  const residual = createNetwork('resnet-small', shape);
  const step = buildTrainingStep(residual, { batchSize: 4 });
  const options = { batchSize: 4 };
  await t.throwsAsync(
    createTensorflowGraphRunner(
      { network: residual, step, options },
      { packages: ['@tensorflow/tfjs'] },
    ),
    { code: 'unsupported', message: /has no form in TensorFlow's layers here; supported: conv/ },
  );
});
