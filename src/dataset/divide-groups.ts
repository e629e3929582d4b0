import type { DatasetFrame } from './dataset.js';
import { shuffled } from './shuffled.js';

interface Group {
  readonly frames: readonly DatasetFrame[];
  /** Frames of the group that have the label, by label. */
  readonly counts: ReadonlyMap<number, number>;
}

/** Counts every frame, with its labels or without: keeps the sizes of the sides right. */
const anyFrame = -1;

/**
 * Deals whole groups to two sides, the first of which is to get `part` of the frames of
 * every label. Groups come in an order drawn by seed, those with the rarest label first;
 * each goes to the side that still lacks more of its rarest label. Both sides keep the order
 * of the frames; with two groups or more neither is empty.
 *
 * Source: iterative stratification, Sechidis et al., ECML PKDD 2011, simplified to groups.
 */
export function divideGroups(
  frames: readonly DatasetFrame[],
  { part, seed }: { readonly part: number; readonly seed: number },
): { readonly first: readonly DatasetFrame[]; readonly second: readonly DatasetFrame[] } {
  const groups = shuffled(toGroups(frames), seed, 0);
  const totals = new Map<number, number>();
  for (const { counts } of groups) {
    for (const [label, count] of counts) totals.set(label, (totals.get(label) ?? 0) + count);
  }
  const total = (label: number) => totals.get(label) ?? 1;
  const rarity = ({ counts }: Group) => Math.min(...[...counts.keys()].map(total));
  // Array.sort is stable: groups of one rarity stay in the order that the seed drew.
  groups.sort((a, b) => rarity(a) - rarity(b));

  const sides = [part, 1 - part].map((sidePart) => ({
    groups: [] as Group[],
    lacking: new Map([...totals].map(([label, count]) => [label, count * sidePart])),
  })) as [Side, Side];
  const [a, b] = sides;
  const lacks = (side: Side, label: number) => side.lacking.get(label) ?? 0;
  // The rarest label decides; a more frequent one only where both sides lack it alike.
  const choose = ({ counts }: Group) => {
    const byRarity = [...counts.keys()].sort((one, other) => total(one) - total(other));
    const telling = byRarity.find((label) => lacks(a, label) !== lacks(b, label)) ?? anyFrame;
    return lacks(a, telling) >= lacks(b, telling) ? a : b;
  };
  for (const group of groups) {
    const side = choose(group);
    side.groups.push(group);
    for (const [label, count] of group.counts) {
      side.lacking.set(label, (side.lacking.get(label) ?? 0) - count);
    }
  }
  if (groups.length >= 2 && a.groups.length === 0) a.groups.push(b.groups.pop() as Group);
  if (groups.length >= 2 && b.groups.length === 0) b.groups.push(a.groups.pop() as Group);

  const inFirst = new Set(a.groups.flatMap((group) => group.frames));
  return {
    first: frames.filter((frame) => inFirst.has(frame)),
    second: frames.filter((frame) => !inFirst.has(frame)),
  };
}

interface Side {
  readonly groups: Group[];
  readonly lacking: Map<number, number>;
}

function toGroups(frames: readonly DatasetFrame[]): Group[] {
  const byGroup = new Map<string, DatasetFrame[]>();
  for (const frame of frames) {
    const key = frame.group === null ? `frame ${frame.id}` : `group ${frame.group}`;
    const members = byGroup.get(key);
    if (members) members.push(frame);
    else byGroup.set(key, [frame]);
  }
  return [...byGroup.values()].map((members) => {
    const counts = new Map([[anyFrame, members.length]]);
    for (const { labelIndices } of members) {
      for (const label of labelIndices) counts.set(label, (counts.get(label) ?? 0) + 1);
    }
    return { frames: members, counts };
  });
}
