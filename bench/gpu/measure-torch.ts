import { join } from 'node:path';
import { packageRoot } from '../../src/package-root.js';
import { linesOf } from './lines-of.js';
import type { GpuBenchOptions, Parts, Row } from './row.js';

/** The same in PyTorch on the same device; what its version cannot do is left out, and told. */
export async function measureTorch(
  { device, forMs, batchSizes, trainingBatch, python }: GpuBenchOptions,
  { say, miss }: Parts,
): Promise<readonly Row[]> {
  say('PyTorch');
  const words = [device, String(forMs / 1000), batchSizes.join(','), String(trainingBatch)];
  const script = join(packageRoot, 'bench/gpu/torch_process.py');
  const told = await linesOf(python, [script, ...words]).catch((thrown: unknown) => {
    miss(`PyTorch by ${python}`, thrown);
    return [];
  });
  const [about, ...lines] = told as { [field: string]: string | number }[];
  for (const { way, missing } of lines) {
    if (missing !== undefined) miss(`PyTorch, ${way}`, new Error(String(missing)));
  }
  return lines
    .filter(({ missing }) => missing === undefined)
    .map((row) => ({
      what: row['kind'] === 'training' ? 'training' : 'engine',
      by: `PyTorch ${about?.['torch']}, ${row['way']}`,
      isYardstick: true,
      batchSize: Number(row['batchSize']),
      framesPerSecond: Number(row['runsPerSecond']) * Number(row['batchSize']),
      p50Ms: Number(row['p50Ms']),
      p99Ms: Number(row['p99Ms']),
    }));
}
