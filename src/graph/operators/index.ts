import type { Operator } from '../operator.js';
import { add } from './add.js';
import { averagePool } from './average-pool.js';
import { concatenate } from './concatenate.js';
import { conv2d } from './conv2d.js';
import { dense } from './dense.js';
import { dropout } from './dropout.js';
import { flatten } from './flatten.js';
import { focalLoss } from './focal-loss.js';
import { globalAveragePool } from './global-average-pool.js';
import { globalMaxPool } from './global-max-pool.js';
import { groupNorm } from './group-norm.js';
import { maxPool } from './max-pool.js';
import { maxPoolByComparing } from './max-pool-by-comparing.js';
import { relu } from './relu.js';
import { scalePixels } from './scale-pixels.js';
import { selectLabels } from './select-labels.js';
import { sigmoidCrossEntropy } from './sigmoid-cross-entropy.js';
import { spaceToDepth } from './space-to-depth.js';
import { weightedCrossEntropy } from './weighted-cross-entropy.js';

/** Every operator by name: a new one is a file beside these and a line here. */
export const operators = {
  add,
  averagePool,
  concatenate,
  conv2d,
  dense,
  dropout,
  flatten,
  focalLoss,
  globalAveragePool,
  globalMaxPool,
  groupNorm,
  maxPool,
  maxPoolByComparing,
  relu,
  scalePixels,
  selectLabels,
  sigmoidCrossEntropy,
  spaceToDepth,
  weightedCrossEntropy,
} as const satisfies Record<string, Operator>;
