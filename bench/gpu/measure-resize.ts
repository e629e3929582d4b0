import { linesOf, scriptOf } from './lines-of.js';
import type { GpuBenchOptions, Parts, Row } from './row.js';

/** Raw planes of 1024² to answers, without a server: resized on the CPU and in the graph. */
export async function measureResize(
  { device, forMs, precisions }: GpuBenchOptions,
  workers: number,
  { say, miss }: Parts,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const precision of precisions) {
    const about = `raw planes, ${precision} precision`;
    say(about);
    const words = [device, precision, String(workers), String(forMs)];
    try {
      const told = (await linesOf(process.execPath, [
        scriptOf('gpu/resize-process.js'),
        ...words,
      ])) as (Omit<Row, 'what' | 'by' | 'isYardstick'> & { readonly what: string })[];
      for (const { what, ...row } of told) {
        const by = `${what}, ${precision}, ${workers} workers`;
        rows.push({ ...row, what: 'raw planes', by, isYardstick: false });
      }
    } catch (thrown) {
      miss(about, thrown);
    }
  }
  return rows;
}
