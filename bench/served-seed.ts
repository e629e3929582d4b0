import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createOnnxGraphRunner } from '../src/engines/index.js';
import { hpaChannels } from '../src/frames/index.js';
import { buildInference, initialiseParameters } from '../src/graph/index.js';
import { hpaLabels } from '../src/label-set.js';
import { createGoldenFrame, openModelStore } from '../src/models/index.js';
import { createNetwork } from '../src/training/networks/index.js';

/** Publishes `seed-cnn` with its first weights as the live `bench@1`. */
export async function publishSeed(modelsDir: string): Promise<string> {
  const [channels, heightPx, widthPx] = [4, 128, 128] as const;
  const network = createNetwork('seed-cnn', { channels, heightPx, widthPx, labelCount: 28 });
  const model = buildInference(network, initialiseParameters(network, 1));
  const inputSpec = { channels: hpaChannels, widthPx, heightPx, resize: 'bilinear' } as const;
  const frame = createGoldenFrame(inputSpec);
  const runner = await createOnnxGraphRunner(model);
  const { probabilities } = await runner.run({
    pixels: { type: 'uint8', shape: [1, channels, heightPx, widthPx], values: frame },
  });
  await runner.close();
  if (probabilities?.type !== 'float32') throw new Error('bug: expected probabilities in float32');
  const store = await openModelStore(modelsDir);
  const { version } = await store.publish({
    name: 'bench',
    model,
    labels: hpaLabels,
    inputSpec,
    thresholds: hpaLabels.map(() => 0.5),
    thresholdsSource: 'default 0.5',
    scores: null,
    runId: null,
    datasetFingerprint: null,
    parent: null,
    golden: { frame, output: probabilities.values },
  });
  await store.setAlias('bench', 'live', version);
  return join(modelsDir, 'bench', String(version), 'model.onnx');
}

/** `serve` in a process of its own; resolves when both ports listen. */
export async function startServer(modelsDir: string, more: readonly string[] = []) {
  const main = fileURLToPath(new URL('../src/main.js', import.meta.url));
  const args = ['serve', '--models', modelsDir, '--runs', join(modelsDir, '.runs'), ...more];
  const child = spawn(
    process.execPath,
    [main, ...args, '--port', '0', '--http-port', '0', '--json'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, CYTOSTREAM_LOG_LEVEL: 'warn' },
    },
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = await lines.next();
  const { port, httpPort } = JSON.parse(first.value as string) as {
    port: number;
    httpPort: number;
  };
  return {
    port,
    httpPort,
    async stop() {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}
