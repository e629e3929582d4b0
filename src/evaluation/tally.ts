import type { Scored } from './score.js';

/**
 * What decided answers come to, unit by unit: a unit is a frame, or all frames of a field
 * of view. Sparse, since a frame has few labels of many; scores of any weights of units are
 * sums over it, without the probabilities.
 */
export interface Tally {
  readonly unitCount: number;
  readonly labelCount: number;
  /** Labels that any frame has. */
  readonly present: Uint8Array;
  /** Labels that any frame has or was given. */
  readonly trueOrGiven: Uint8Array;
  /** Frames of each unit, and those of them that are answered without a mistake. */
  readonly frames: Uint32Array;
  readonly exact: Uint32Array;
  /** Where the labels of a unit begin in the four arrays below; one more than units. */
  readonly starts: Uint32Array;
  readonly labels: Uint32Array;
  readonly hits: Uint32Array;
  readonly given: Uint32Array;
  readonly support: Uint32Array;
}

/** The unit that each frame belongs to, from 0 on, without gaps. */
export type Units = readonly number[];

/** Frames of one group are one unit; where no frame has a group, each is one of its own. */
export function unitsOf(groups: readonly (string | null)[]): Units {
  const places = new Map<string, number>();
  return groups.map((group, at) => {
    const key = group === null ? `frame ${at}` : `group ${group}`;
    const place = places.get(key) ?? places.size;
    places.set(key, place);
    return place;
  });
}

export function tallyOf(
  { probabilities, targets, labels, thresholds }: Scored,
  units: Units,
): Tally {
  const labelCount = labels.length;
  const unitCount = units.reduce((most, unit) => Math.max(most, unit + 1), 0);
  const frames = new Uint32Array(unitCount);
  const exact = new Uint32Array(unitCount);
  const present = new Uint8Array(labelCount);
  const trueOrGiven = new Uint8Array(labelCount);
  /** By unit, then label: hits, given, support. */
  const cells = Array.from(
    { length: unitCount },
    () => new Map<number, [number, number, number]>(),
  );
  for (const [frame, unit] of units.entries()) {
    let isExact = true;
    for (let label = 0; label < labelCount; label += 1) {
      const at = frame * labelCount + label;
      const isTrue = targets[at] === 1;
      const isGiven = (probabilities[at] ?? 0) >= (thresholds[label] ?? 1);
      if (isTrue !== isGiven) isExact = false;
      if (!isTrue && !isGiven) continue;
      if (isTrue) present[label] = 1;
      trueOrGiven[label] = 1;
      const cell = cells[unit]?.get(label) ?? [0, 0, 0];
      cells[unit]?.set(label, cell);
      if (isTrue && isGiven) cell[0] += 1;
      if (isGiven) cell[1] += 1;
      if (isTrue) cell[2] += 1;
    }
    frames[unit] = (frames[unit] ?? 0) + 1;
    if (isExact) exact[unit] = (exact[unit] ?? 0) + 1;
  }
  const starts = new Uint32Array(unitCount + 1);
  for (const [unit, { size }] of cells.entries()) starts[unit + 1] = (starts[unit] ?? 0) + size;
  const flat = cells.flatMap((of) => [...of]);
  return {
    ...{ unitCount, labelCount, present, trueOrGiven, frames, exact, starts },
    labels: Uint32Array.from(flat, ([label]) => label),
    hits: Uint32Array.from(flat, ([, [hits]]) => hits),
    given: Uint32Array.from(flat, ([, [, given]]) => given),
    support: Uint32Array.from(flat, ([, [, , support]]) => support),
  };
}

/** Scores that follow from decided answers alone. */
export interface DecidedScores {
  readonly macroF1: number;
  readonly macroF1Present: number;
  readonly macroF1TrueOrGiven: number;
  readonly microF1: number;
  readonly weightedF1: number;
  readonly exactMatch: number;
  readonly binaryAccuracy: number;
  /** F1 of each label. */
  readonly labels: Float64Array;
}

/**
 * Scores where each unit counts as much as its weight says; 1 for each is the whole set. Which
 * labels are present, or true or given, is what the whole set says, whatever the weights.
 */
export function scoresOf(tally: Tally, weights: ArrayLike<number>): DecidedScores {
  const { unitCount, labelCount, starts } = tally;
  const hits = new Float64Array(labelCount);
  const given = new Float64Array(labelCount);
  const support = new Float64Array(labelCount);
  let frames = 0;
  let exact = 0;
  for (let unit = 0; unit < unitCount; unit += 1) {
    const weight = weights[unit] ?? 0;
    frames += weight * (tally.frames[unit] ?? 0);
    exact += weight * (tally.exact[unit] ?? 0);
    const end = starts[unit + 1] ?? 0;
    for (let at = starts[unit] ?? 0; at < end; at += 1) {
      const label = tally.labels[at] ?? 0;
      hits[label] = (hits[label] ?? 0) + weight * (tally.hits[at] ?? 0);
      given[label] = (given[label] ?? 0) + weight * (tally.given[at] ?? 0);
      support[label] = (support[label] ?? 0) + weight * (tally.support[at] ?? 0);
    }
  }
  const labels = hits.map((of, label) =>
    ratio(2 * of, (given[label] ?? 0) + (support[label] ?? 0)),
  );
  const count = (of: Uint8Array) => of.reduce((sum, is) => sum + is, 0);
  const [hitSum, givenSum, supportSum] = [sum(hits), sum(given), sum(support)];
  const total = frames * labelCount;
  return {
    macroF1: ratio(sum(labels), labelCount),
    // An absent label has no hits and adds 0.
    macroF1Present: ratio(sum(labels), count(tally.present)),
    macroF1TrueOrGiven: ratio(sum(labels), count(tally.trueOrGiven)),
    microF1: ratio(2 * hitSum, givenSum + supportSum),
    weightedF1: ratio(
      labels.reduce((total, of, label) => total + of * (support[label] ?? 0), 0),
      supportSum,
    ),
    exactMatch: ratio(exact, frames),
    binaryAccuracy: ratio(total - supportSum - givenSum + 2 * hitSum, total),
    labels,
  };
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
