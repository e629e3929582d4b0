import { cytokineticBridgeIndex, labelPatterns, mitoticSpindleIndex } from './patterns/index.js';
import type { Random } from './random.js';

const shareOfPairs = 0.3;
const allLabels: readonly number[] = labelPatterns.map((_, label) => label);

/**
 * Draws the labels of one frame, ascending: one, or in three of ten frames two; all of
 * `among` equally often. `among` holds at least one. @default all 28
 */
export function drawLabels(random: Random, among: readonly number[] = allLabels): number[] {
  const first = pick(random, among);
  // A dividing cell keeps its picture to itself: most other structures dissolve in it.
  if (random.unit() >= shareOfPairs || isDivision(first)) return [first];
  const others = among.filter((label) => label !== first && !isDivision(label));
  return others.length === 0 ? [first] : [first, pick(random, others)].sort((a, b) => a - b);
}

function pick(random: Random, labels: readonly number[]): number {
  return labels[random.whole(0, labels.length - 1)]!;
}

function isDivision(label: number): boolean {
  return label === cytokineticBridgeIndex || label === mitoticSpindleIndex;
}
