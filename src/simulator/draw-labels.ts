import { cytokineticBridgeIndex, labelPatterns, mitoticSpindleIndex } from './patterns/index.js';
import type { Random } from './random.js';

const shareOfPairs = 0.3;

/**
 * Draws the labels of one frame, ascending: one, or in three of ten frames two. All 28 come
 * nearly equally often; the two of dividing cells come alone, for most other structures
 * dissolve in such a cell.
 */
export function drawLabels(random: Random): number[] {
  const first = drawLabel(random);
  if (isDivision(first) || random.unit() >= shareOfPairs) return [first];
  for (;;) {
    const second = drawLabel(random);
    if (second !== first && !isDivision(second)) return [first, second].sort((a, b) => a - b);
  }
}

function drawLabel(random: Random): number {
  return random.whole(0, labelPatterns.length - 1);
}

function isDivision(label: number): boolean {
  return label === cytokineticBridgeIndex || label === mitoticSpindleIndex;
}
