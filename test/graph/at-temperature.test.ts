import test from 'ava';
import { createOnnxGraphRunner } from '../../src/engines/index.js';
import { atTemperature, buildInference, initialiseParameters } from '../../src/graph/index.js';
import { createNetwork, networks } from '../../src/training/networks/index.js';

const shape = { channels: 4, heightPx: 32, widthPx: 32, labelCount: 5 };

for (const name of Object.keys(networks)) {
  test(`the served graph of ${name} gives its logits divided by the temperature`, async (t) => {
    const network = createNetwork(name, shape);
    const parameters = initialiseParameters(network, 3);
    const pixels = Uint8Array.from({ length: 2 * 4 * 32 * 32 }, (_, at) => (at * 7919) % 251);
    const logitsAt = async (temperature: number) => {
      const model = buildInference(network, atTemperature(network, parameters, temperature));
      const runner = await createOnnxGraphRunner(model, { threads: 1 });
      const { probabilities } = await runner.run({
        pixels: { type: 'uint8', shape: [2, 4, 32, 32], values: pixels },
      });
      await runner.close();
      return Array.from(probabilities?.values as Float32Array, (p) => Math.log(p / (1 - p)));
    };
    const plain = await logitsAt(1);
    const cooler = await logitsAt(2.5);
    t.true(plain.some((logit) => Math.abs(logit) > 1e-3));
    for (const [at, logit] of plain.entries()) {
      // Logits of float32 probabilities.
      t.true(Math.abs((cooler[at] ?? 0) - logit / 2.5) < 1e-5, `${cooler[at]}, ${logit / 2.5}`);
    }
  });
}

test('a network that does not end in a dense layer is refused', (t) => {
  const network = createNetwork('seed-cnn', shape);
  const layers = [...network.layers, { kind: 'relu' as const }];
  t.throws(() => atTemperature({ ...network, layers }, new Map(), 2), { code: 'unsupported' });
});
