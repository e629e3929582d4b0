// The bare engine loop, the yardstick of serving: batches of random pixels through one
// Session with nothing around it. Arguments: path of model.onnx, threads, milliseconds.
// Prints one line of JSON.
import { readFileSync } from 'node:fs';
import { createOnnxEngine } from '../src/engines/index.js';

const [path, threads, forMs] = process.argv.slice(2) as [string, string, string];
const engine = await createOnnxEngine({ threads: Number(threads) });
const session = await engine.load({
  model: readFileSync(path),
  inputShape: [4, 128, 128],
  labelCount: 28,
});

/** Frames a second and the median time of one run, of a batch size. */
async function loop(batchSize: number): Promise<{ framesPerSecond: number; runMs: number }> {
  let input: Uint8Array = Uint8Array.from(
    { length: batchSize * 4 * 128 * 128 },
    (_, index) => Math.imul(index, 2654435761) >>> 24,
  );
  for (let warm = 0; warm < 3; warm += 1) ({ input } = await session.run(input, batchSize));
  const runs: number[] = [];
  const startedAt = performance.now();
  while (performance.now() - startedAt < Number(forMs)) {
    const at = performance.now();
    ({ input } = await session.run(input, batchSize));
    runs.push(performance.now() - at);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  runs.sort((left, right) => left - right);
  return {
    framesPerSecond: (runs.length * batchSize) / seconds,
    runMs: runs[Math.floor(runs.length / 2)] ?? 0,
  };
}

const one = await loop(1);
const many = await loop(32);
console.log(JSON.stringify({ one, many }));
await session.close();
await engine.close();
