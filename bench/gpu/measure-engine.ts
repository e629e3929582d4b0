import type { DeviceName } from '../../src/engines/index.js';
import { linesOf, scriptOf } from './lines-of.js';
import type { GpuBenchOptions, Parts, Row } from './row.js';

/** The engine alone, in each precision and with each number of workers. */
export async function measureEngine(
  on: DeviceName,
  { forMs, batchSizes, precisions, workers }: GpuBenchOptions,
  { say, miss }: Parts,
): Promise<{
  readonly rows: readonly Row[];
  readonly distances: Readonly<Record<string, number>>;
}> {
  const rows: Row[] = [];
  const distances: Record<string, number> = {};
  for (const precision of precisions) {
    for (const count of workers) {
      const what = `engine on ${on}, ${precision} precision, ${count} workers`;
      say(what);
      const words = [on, precision, String(count), String(forMs), batchSizes.join(',')];
      try {
        const [about, ...sizes] = (await linesOf(process.execPath, [
          scriptOf('gpu/engine-process.js'),
          ...words,
        ])) as [
          { readonly device: string; readonly distance: number },
          ...Omit<Row, 'what' | 'by' | 'isYardstick'>[],
        ];
        const by = `${about.device}, ${precision}, ${count} workers`;
        distances[by] = about.distance;
        rows.push(
          ...sizes.map((row) => ({ ...row, what: 'engine', by, isYardstick: false }) as const),
        );
      } catch (thrown) {
        miss(what, thrown);
      }
    }
  }
  return { rows, distances };
}
