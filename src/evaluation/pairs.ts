import type { Scored } from './score.js';

/** How often one label was missed where another was given wrongly. */
export interface LabelPair {
  /** The label that was missed; null where none was. */
  readonly missed: number | null;
  /** The label that was given wrongly; null where none was. */
  readonly given: number | null;
  /** Frames. A frame counts in every pair of its missed and its wrongly given labels. */
  readonly count: number;
}

/** What is taken for what, the most frequent first; pairs that no frame has are left out. */
export function countPairs({
  probabilities,
  targets,
  labels,
  thresholds,
}: Scored): readonly LabelPair[] {
  const labelCount = labels.length;
  // The place after the last label stands for none.
  const side = labelCount + 1;
  const counts = new Uint32Array(side * side);
  for (let from = 0; from < targets.length; from += labelCount) {
    const missed: number[] = [];
    const given: number[] = [];
    for (let label = 0; label < labelCount; label += 1) {
      const isTrue = targets[from + label] === 1;
      const isGiven = (probabilities[from + label] ?? 0) >= (thresholds[label] ?? 1);
      if (isTrue && !isGiven) missed.push(label);
      if (isGiven && !isTrue) given.push(label);
    }
    if (missed.length === 0 && given.length === 0) continue;
    for (const row of missed.length === 0 ? [labelCount] : missed) {
      for (const column of given.length === 0 ? [labelCount] : given) {
        counts[row * side + column] = (counts[row * side + column] ?? 0) + 1;
      }
    }
  }
  const named = (label: number) => (label === labelCount ? null : label);
  return [...counts.entries()]
    .filter(([, count]) => count > 0)
    .sort(([placeA, a], [placeB, b]) => b - a || placeA - placeB)
    .map(([place, count]) => ({
      missed: named(Math.floor(place / side)),
      given: named(place % side),
      count,
    }));
}
