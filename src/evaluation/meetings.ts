import type { DatasetFrame } from '../dataset/index.js';
import type { SeenFrames } from '../models/index.js';

/**
 * What a version has met of a frame. `besideValidated`: it has a field of view in common with
 * one that chose epoch, temperature and thresholds, and chose nothing itself.
 */
export type Meeting = 'trainedOn' | 'validatedOn' | 'besideValidated' | 'heldOut' | 'nothing';

/**
 * What a version has met of each frame of a dataset, in the order given; `keys` are those that
 * `frameKeys` gives. Frames of one field of view are alike: where one was trained on, so were the
 * others, and where one chose thresholds, those of the others are chosen by their likes.
 */
export function meetingsOf(
  frames: readonly Pick<DatasetFrame, 'group'>[],
  keys: readonly string[],
  { training, validation, heldOut }: SeenFrames,
): readonly Meeting[] {
  const parts = { trainedOn: training, validatedOn: validation, heldOut };
  const byKey = new Map<string, Meeting>();
  for (const part of ['heldOut', 'validatedOn', 'trainedOn'] as const) {
    for (const key of parts[part]) byKey.set(key, part);
  }
  const own = keys.map((key) => byKey.get(key) ?? 'nothing');
  const fieldsOf = (meeting: Meeting): ReadonlySet<string> =>
    new Set(
      frames.flatMap(({ group }, at) => (own[at] === meeting && group !== null ? group : [])),
    );
  const [trained, validated] = [fieldsOf('trainedOn'), fieldsOf('validatedOn')];
  return own.map((meeting, at) => {
    const group = frames[at]?.group ?? null;
    if (group === null || meeting === 'trainedOn') return meeting;
    if (trained.has(group)) return 'trainedOn';
    return meeting !== 'validatedOn' && validated.has(group) ? 'besideValidated' : meeting;
  });
}
