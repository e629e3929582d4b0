import { simulateCells } from '../../../src/simulator/index.js';
import type { FrameSet } from '../../../src/training/process/frame-set.js';
import { memorySource, toShared } from '../../../src/training/process/frame-source.js';

/** Four structures that look unlike each other, as numbers of the 28 labels. */
const structures = [0, 7, 21, 25];

/** Simulated cells, one structure a frame in turn. `seed` fixes every pixel. */
export function createSimulatedSet(frameCount: number, sizePx: number, seed: number): FrameSet {
  const frameBytes = 4 * sizePx * sizePx;
  const labelCount = structures.length;
  const targets = new Uint8Array(frameCount * labelCount);
  const frames = Array.from({ length: frameCount }, (_, at) => {
    targets[at * labelCount + (at % labelCount)] = 1;
    return { id: `cell-${seed + at}`, labelIndices: [at % labelCount], group: null };
  });
  const pixels = frames.map((_, at) => {
    const labels = [structures[at % labelCount] ?? 0];
    const { planes } = simulateCells({ seed: seed + at, labels, sizePx });
    const all = new Uint8Array(frameBytes);
    for (const [channel, { bytes }] of planes.entries()) all.set(bytes, channel * sizePx * sizePx);
    return all;
  });
  const places = frames.map((_, place) => place);
  const source = memorySource(pixels.map(toShared), frameBytes);
  return { frames, source, places, targets, labelCount, frameBytes };
}
