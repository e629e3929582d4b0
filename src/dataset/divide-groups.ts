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
 * Deals whole groups to sides, each of which is to get its part of the frames of every
 * label. Groups come in an order drawn by seed, those with the rarest label first; each goes
 * to the side that still lacks most of its rarest label. Every side keeps the order of the
 * frames; none is empty where there are as many groups as sides.
 *
 * Source: iterative stratification, Sechidis et al., ECML PKDD 2011, simplified to groups.
 */
export function divideGroups(
  frames: readonly DatasetFrame[],
  { parts, seed }: { readonly parts: readonly number[]; readonly seed: number },
): readonly (readonly DatasetFrame[])[] {
  const groups = shuffled(toGroups(frames), seed, 0);
  const totals = new Map<number, number>();
  for (const { counts } of groups) {
    for (const [label, count] of counts) totals.set(label, (totals.get(label) ?? 0) + count);
  }
  const total = (label: number) => totals.get(label) ?? 1;
  const rarity = ({ counts }: Group) => Math.min(...[...counts.keys()].map(total));
  // Array.sort is stable: groups of one rarity stay in the order that the seed drew.
  groups.sort((a, b) => rarity(a) - rarity(b));

  const sides: readonly Side[] = parts.map((part) => ({
    groups: [],
    lacking: new Map([...totals].map(([label, count]) => [label, count * part])),
  }));
  for (const group of groups) {
    const byRarity = [...group.counts.keys()].sort((one, other) => total(one) - total(other));
    const side = neediest(sides, byRarity);
    side.groups.push(group);
    for (const [label, count] of group.counts) {
      side.lacking.set(label, (side.lacking.get(label) ?? 0) - count);
    }
  }
  fillEmpty(sides);
  return sides.map((side) => {
    const members = new Set(side.groups.flatMap((group) => group.frames));
    return frames.filter((frame) => members.has(frame));
  });
}

/** The rarest label decides; a more frequent one only between sides that lack it alike. */
function neediest(sides: readonly Side[], byRarity: readonly number[]): Side {
  let alike = sides;
  for (const label of byRarity) {
    const lacks = (side: Side) => side.lacking.get(label) ?? 0;
    const most = Math.max(...alike.map(lacks));
    alike = alike.filter((side) => lacks(side) === most);
  }
  const [first] = alike;
  if (first === undefined) throw new Error('bug: groups were dealt to no side');
  return first;
}

function fillEmpty(sides: readonly Side[]): void {
  for (const side of sides) {
    if (side.groups.length > 0) continue;
    const most = Math.max(...sides.map(({ groups }) => groups.length));
    if (most < 2) return;
    const spare = sides.find(({ groups }) => groups.length === most)?.groups.pop();
    if (spare !== undefined) side.groups.push(spare);
  }
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
