import { type DatasetFrame, type FrameFolder, frameKeys } from '../dataset/index.js';
import { DomainError } from '../errors.js';
import type { SeenFrames } from '../models/index.js';
import { type Meeting, meetingsOf } from './meetings.js';

/**
 * Which frames of a dataset are scored: `unseen` leaves out those that a version is known to
 * have been trained on or to have chosen its thresholds by, with their fields of view;
 * `validation` are the latter, without the others of their fields.
 */
export const evaluatedParts = ['all', 'unseen', 'validation'] as const;

export type EvaluatedPart = (typeof evaluatedParts)[number];

/** What a version has met of the frames that it is scored on. */
export interface SeenReport {
  readonly part: EvaluatedPart;
  /** Of the whole dataset; the report's own count is of the part. */
  readonly datasetFrameCount: number;
  /** Of the frames that are scored; null where the version keeps no list of what it has met. */
  readonly counts: SeenCounts | null;
  /** Whether it began with a version that keeps no list, so that there may be more. */
  readonly isParentUnknown: boolean;
}

export interface SeenCounts {
  /** Trained on, or of a field of view of which another frame of the dataset was. */
  readonly trainedOn: number;
  /** Chose its epoch, temperature and thresholds, or of a field of view of which another frame did. */
  readonly validatedOn: number;
  /** Lay beside those in its dataset and took part in nothing. */
  readonly heldOut: number;
}

/** A version with what it has met; null where it keeps no list. */
export interface SeeingVersion {
  /** "cells@3". */
  readonly ref: string;
  readonly seen: SeenFrames | null;
  /** Roles of the planes that it takes, by which it knows its frames. @default the dataset's */
  readonly channels?: readonly string[];
}

/** The frames of a part, with what each version has met of them, in the versions' order. */
export interface ChosenFrames {
  readonly frames: readonly DatasetFrame[];
  readonly seen: readonly SeenReport[];
}

/**
 * Chooses the frames that one or more versions are scored on: those that are of the part for
 * each of them. Of a version that keeps no list, none is known to be seen.
 *
 * Throws `verb_unfit` where none is left, and what `frameKeys` throws.
 */
export async function chooseFrames(
  dataset: FrameFolder & { readonly frames: readonly DatasetFrame[] },
  versions: readonly SeeingVersion[],
  part: EvaluatedPart,
): Promise<ChosenFrames> {
  const { frames: all } = dataset;
  // Versions that take the same planes know a frame by the same key: its files are looked at once.
  const keys = new Map<string, Promise<readonly string[]>>();
  const keysBy = (channels: readonly string[]): Promise<readonly string[]> => {
    const name = JSON.stringify(channels);
    const known = keys.get(name) ?? frameKeys({ ...dataset, channels }, all);
    keys.set(name, known);
    return known;
  };
  const met = await Promise.all(
    versions.map(async ({ seen, channels = dataset.channels }) =>
      seen === null ? null : meetingsOf(all, await keysBy(channels), seen),
    ),
  );
  const isChosen = (at: number) => met.every((of) => isOfPart(of?.[at] ?? 'nothing', part));
  const places = [...all.keys()].filter(isChosen);
  if (places.length === 0) {
    throw new DomainError(
      'verb_unfit',
      `expected frames that are ${part === 'validation' ? 'of the validation part' : 'unseen'} for ${versions.map(({ ref }) => ref).join(' and ')}, got none among ${all.length}`,
    );
  }
  return {
    frames: places.flatMap((at) => all[at] ?? []),
    seen: versions.map(({ seen }, index) => {
      const own = met[index];
      const count = (of: Meeting) => places.filter((at) => own?.[at] === of).length;
      return {
        part,
        datasetFrameCount: all.length,
        counts: own
          ? {
              trainedOn: count('trainedOn'),
              validatedOn: count('validatedOn') + count('besideValidated'),
              heldOut: count('heldOut'),
            }
          : null,
        isParentUnknown: seen?.isParentUnknown ?? false,
      };
    }),
  };
}

function isOfPart(meeting: Meeting, part: EvaluatedPart): boolean {
  if (part === 'all') return true;
  if (part === 'validation') return meeting === 'validatedOn';
  return meeting === 'heldOut' || meeting === 'nothing';
}

/** What a reader must know of a score before it: whether the version has seen the frames. */
export function seenSentence(
  { part, datasetFrameCount, counts, isParentUnknown }: SeenReport,
  /** `ref`: how the version is called. */
  { frameCount, ref }: { readonly frameCount: number; readonly ref: string },
): string {
  const left = datasetFrameCount - frameCount;
  const others = left === 0 ? '' : ` ${left} others are left out (--part ${part}).`;
  if (counts === null) {
    return `UNKNOWN whether ${ref} was trained on any of the ${frameCount} frames: it keeps no list of them.${others}`;
  }
  const { trainedOn, validatedOn, heldOut } = counts;
  const known = trainedOn + validatedOn;
  const before = isParentUnknown
    ? ' What the version that it began with was trained on is unknown.'
    : '';
  if (known > 0) {
    const instead =
      part !== 'all'
        ? ''
        : known < frameCount
          ? ' --part unseen leaves those out.'
          : ' It has seen all of them; train --held-out 0.2 would have put some aside.';
    return `CAUTION: ${ref} was trained on ${trainedOn} of the ${frameCount} frames, and ${validatedOn} chose its epoch and thresholds: these are not its scores on new frames.${instead}${before}${others}`;
  }
  const apart = heldOut === 0 ? '' : `; its training held out ${heldOut} of them`;
  return `${ref} has not seen the ${frameCount} frames${apart}.${before}${others}`;
}
