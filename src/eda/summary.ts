import type { LabelSet } from '../label-set.js';

/** A frame with what it is labelled with. */
export interface LabelledFrame {
  readonly id: string;
  readonly labelIndices: readonly number[];
}

/** What there is to explore: any opened dataset, or labels without frames. */
export interface LabelledFrames<F extends LabelledFrame = LabelledFrame> {
  readonly labels: LabelSet;
  readonly frames: readonly F[];
}

/** What a dataset holds, counted. */
export interface LabelSummary {
  readonly frameCount: number;
  /** Labels given, over all frames. */
  readonly labelCount: number;
  readonly meanLabelsPerFrame: number;
  readonly labels: readonly {
    readonly index: number;
    readonly label: string;
    readonly frames: number;
    /** Of all frames, 0..1. */
    readonly share: number;
  }[];
  /** Ascending by the number of labels; only numbers that occur. */
  readonly labelsPerFrame: readonly { readonly labels: number; readonly frames: number }[];
  /** `[L][L]`: frames that have both; on the diagonal, frames that have the label. */
  readonly coOccurrence: readonly (readonly number[])[];
  /** The sets of labels that occur most often, at most 20. */
  readonly commonSets: readonly { readonly labels: readonly number[]; readonly frames: number }[];
  /** What answering "no" to everything scores in binary accuracy. */
  readonly alwaysNoAccuracy: number;
}

/** Counts labels; a label named twice on one frame counts once. */
export function summarise({ labels, frames }: LabelledFrames): LabelSummary {
  const counts = new Array<number>(labels.length).fill(0);
  const perFrame = new Map<number, number>();
  const sets = new Map<string, { labels: readonly number[]; frames: number }>();
  const together = labels.map(() => new Array<number>(labels.length).fill(0));
  for (const { labelIndices } of frames) {
    const own = [...new Set(labelIndices)].sort((a, b) => a - b);
    perFrame.set(own.length, (perFrame.get(own.length) ?? 0) + 1);
    const key = own.join(' ');
    sets.set(key, { labels: own, frames: (sets.get(key)?.frames ?? 0) + 1 });
    for (const label of own) {
      counts[label] = (counts[label] ?? 0) + 1;
      const row = together[label];
      for (const other of own) if (row !== undefined) row[other] = (row[other] ?? 0) + 1;
    }
  }
  const frameCount = frames.length;
  const labelCount = counts.reduce((sum, count) => sum + count, 0);
  return {
    frameCount,
    labelCount,
    meanLabelsPerFrame: frameCount === 0 ? 0 : labelCount / frameCount,
    labels: labels.map((label, index) => ({
      index,
      label,
      frames: counts[index] ?? 0,
      share: frameCount === 0 ? 0 : (counts[index] ?? 0) / frameCount,
    })),
    labelsPerFrame: [...perFrame]
      .sort(([a], [b]) => a - b)
      .map(([number, of]) => ({ labels: number, frames: of })),
    coOccurrence: together,
    commonSets: [...sets.values()].sort((a, b) => b.frames - a.frames).slice(0, 20),
    alwaysNoAccuracy:
      frameCount * labels.length === 0 ? 0 : 1 - labelCount / (frameCount * labels.length),
  };
}

/**
 * Frames worth showing: one of each label, the rarest labels first, then frames
 * evenly spread over the dataset. The same dataset gives the same frames.
 */
export function chooseFrames<F extends LabelledFrame>(
  { labels, frames }: LabelledFrames<F>,
  count: number,
): readonly F[] {
  const { labels: counted } = summarise({ labels, frames });
  const rarestFirst = counted
    .filter((label) => label.frames > 0)
    .sort((a, b) => a.frames - b.frames);
  const chosen = new Set<F>();
  const shown = new Set<number>();
  for (const { index } of rarestFirst) {
    if (chosen.size >= count) break;
    if (shown.has(index)) continue;
    const frame = frames.find((one) => !chosen.has(one) && one.labelIndices.includes(index));
    if (frame === undefined) continue;
    chosen.add(frame);
    for (const label of frame.labelIndices) shown.add(label);
  }
  const rest = frames.filter((frame) => !chosen.has(frame));
  const missing = Math.min(count - chosen.size, rest.length);
  for (let at = 0; at < missing; at += 1) {
    const frame = rest[Math.floor((at * rest.length) / missing)];
    if (frame !== undefined) chosen.add(frame);
  }
  return frames.filter((frame) => chosen.has(frame));
}
