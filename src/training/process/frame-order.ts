import { shuffled } from '../../dataset/index.js';
import type { RunSpec } from '../run.js';
import { drawingWeightsOf, type LabelTable } from './label-balance.js';

/** Each epoch's order is a stream of the seed, beyond those that a split draws from. */
const firstEpochStream = 1000;
/** Beyond those of every epoch that a spec allows. */
const firstSecondStream = 1_000_000;

/** The rows of the training part in the order that an epoch, counted from 1, takes them. */
export type FrameOrder = (epoch: number) => readonly number[];

/**
 * As many rows an epoch as there are frames; the same seed and epoch give the same rows.
 *
 * `shuffled`: each once. `balanced`: each as often as `drawingWeightsOf` says on average,
 * which is once for the average frame; in every single epoch it comes that often rounded
 * down or up. Frames of rare labels come several times, some common ones sit an epoch out.
 */
export function createFrameOrder(
  { sampling, seed }: Pick<RunSpec, 'sampling' | 'seed'>,
  table: LabelTable,
): FrameOrder {
  const rows = [...new Array(table.targets.length / table.labelCount).keys()];
  const inTurn: FrameOrder = (epoch) => shuffled(rows, seed, firstEpochStream + epoch);
  if (sampling === 'shuffled') return inTurn;
  const weights = drawingWeightsOf(table);
  const perDraw = weights.reduce((sum, weight) => sum + weight, 0) / rows.length;
  // Drawn from the shuffled rows, so that neighbours in the file are not drawn in turn,
  // and shuffled once more, so that the same frame does not come twice in a row.
  return (epoch) => {
    const drawn = drawInSteps(inTurn(epoch), weights, perDraw);
    return shuffled(drawn, seed, firstSecondStream + epoch);
  };
}

/**
 * Systematic sampling: the rows' weights laid end to end, one draw every `perDraw`, from
 * the middle of the first on. The chance lies in the order of the rows.
 *
 * Source: Madow, Annals of Mathematical Statistics 20 (1949) 333–354.
 */
function drawInSteps(
  rows: readonly number[],
  weights: readonly number[],
  perDraw: number,
): readonly number[] {
  const drawn: number[] = [];
  let end = 0;
  for (const row of rows) {
    end += weights[row] ?? 0;
    while (drawn.length < rows.length && (drawn.length + 0.5) * perDraw < end) drawn.push(row);
  }
  // Rounding may leave the very last draw just beyond the end.
  while (drawn.length < rows.length) drawn.push(rows.at(-1) ?? 0);
  return drawn;
}
