import { join } from 'node:path';
import { writeDurably } from '../../files/index.js';
import { learningCurves } from '../../plots/index.js';
import type { EpochScores } from '../run.js';

/** Draws the curves of `learningCurves` into a run's folder. Throws `storage_failed`. */
export async function drawCurves(folder: string, history: readonly EpochScores[]): Promise<void> {
  for (const { file, svg } of learningCurves(history)) {
    await writeDurably(join(folder, file), [Buffer.from(svg)]);
  }
}
