import type { GraphRunner } from '../../engines/index.js';
import { DomainError } from '../../errors.js';
import { createBatchBuffers, type FrameSet, gatherBatch } from './frame-set.js';
import { scaledFrames } from './scaled-frames.js';

/** Frames of 128×128 a run of the graph: on a CPU a larger batch is no faster. */
const usualBatchSize = 32;

/**
 * One float32 output of a graph for these frames of a set, row after row. Blocks its thread
 * a batch at a time.
 */
export async function runOver(
  { set, rows }: { readonly set: FrameSet; readonly rows: readonly number[] },
  {
    output,
    shape,
  }: {
    readonly output: string;
    readonly shape: readonly [channels: number, heightPx: number, widthPx: number];
  },
  runner: GraphRunner,
): Promise<Float32Array> {
  const [, heightPx, widthPx] = shape;
  const batchSize = scaledFrames(usualBatchSize, { heightPx, widthPx });
  const buffers = createBatchBuffers(set, Math.min(batchSize, rows.length));
  let all = new Float32Array(0);
  for (let start = 0; start < rows.length; start += batchSize) {
    const some = rows.slice(start, start + batchSize);
    const { pixels } = gatherBatch(set, some, buffers);
    const answer = (
      await runner.run({
        pixels: { type: 'uint8', shape: [some.length, ...shape], values: pixels },
      })
    )[output];
    if (answer?.type !== 'float32') {
      throw new DomainError('internal', `bug: the graph gave no ${output}`);
    }
    const rowSize = answer.values.length / some.length;
    if (start === 0) all = new Float32Array(rows.length * rowSize);
    all.set(answer.values, start * rowSize);
  }
  return all;
}
