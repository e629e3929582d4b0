import type { Operator } from '../operator.js';
import { concatenate } from './concatenate.js';
import { conv2d } from './conv2d.js';
import { dense } from './dense.js';
import { dropout } from './dropout.js';
import { flatten } from './flatten.js';
import { maxPool } from './max-pool.js';
import { relu } from './relu.js';
import { scalePixels } from './scale-pixels.js';
import { sigmoidCrossEntropy } from './sigmoid-cross-entropy.js';

/** Every operator by name: a new one is a file beside these and a line here. */
export const operators = {
  concatenate,
  conv2d,
  dense,
  dropout,
  flatten,
  maxPool,
  relu,
  scalePixels,
  sigmoidCrossEntropy,
} as const satisfies Record<string, Operator>;
