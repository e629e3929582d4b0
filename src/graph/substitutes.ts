import type { Operator } from './operator.js';
import { operators } from './operators/index.js';

/**
 * What a device may lack. `poolIndices`: MaxPool's indices, or MaxUnpool, which reads them.
 * `sum`: Sum, for which the builder of a graph writes an Add for each value after the first.
 */
export type Lack = 'poolIndices' | 'sum';

/** What is written instead, made of operators that every device has: a line for each lack. */
const substitutes: {
  readonly [Each in Exclude<Lack, 'sum'>]: readonly [of: Operator, instead: Operator];
} = {
  poolIndices: [operators.maxPool, operators.maxPoolByComparing],
};

/** Which operator to write for another on a device that lacks this. */
export function substitutesFor(lacks: readonly Lack[]): ReadonlyMap<Operator, Operator> {
  return new Map(lacks.flatMap((lack) => (lack === 'sum' ? [] : [substitutes[lack]])));
}
