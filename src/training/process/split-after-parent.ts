import {
  type Dataset,
  type DatasetFrame,
  type DatasetSplit,
  frameKeys,
  type SplitOptions,
  splitDataset,
} from '../../dataset/index.js';
import { DomainError } from '../../errors.js';
import { type Meeting, meetingsOf } from '../../evaluation/index.js';
import type { SeenFrames } from '../../models/index.js';

/** The version that a run begins with. */
export interface SeeingParent {
  /** "cells@3". */
  readonly ref: string;
  /** What it has met; null where it keeps no list. */
  readonly seen: SeenFrames | null;
}

/** The parts of a run that begins with a version. */
export interface SplitAfterParent {
  readonly split: DatasetSplit;
  /** Frames that take another part than the split of the spec gave them. */
  readonly movedFrames: number;
}

type Part = keyof DatasetSplit;

const parts: readonly Part[] = ['training', 'validation', 'heldOut'];

/**
 * Epoch, temperature and thresholds of fewer frames are luck. A set that is so small by itself
 * is its user's choice: then half of the frames asked for are enough.
 */
const enoughFrames = 10;

/**
 * Cuts a dataset as `splitDataset` does, but so that what the parent has met is nothing new: what
 * it was trained on trains instead of validating or being held out, and what chose its
 * thresholds validates instead of being held out; whole fields of view each. Nothing is moved
 * where the child has the parent's frames, split and seed, but for a field through which a cut
 * by rows goes. Every part keeps the order of the
 * file: a resumed run makes the same split.
 *
 * The keys by which frames are known are made of Ids and file sizes, so that this reads no plane
 * and comes before the frames are loaded. They are looked for among all frames, also those that
 * a share leaves out: these may be of the field of one that is used.
 *
 * Throws what `splitDataset` and `frameKeys` throw, and `option_invalid` where too few frames are
 * left to validate, or none to hold out.
 */
export async function splitAfterParent(
  dataset: Dataset,
  options: SplitOptions,
  { ref, seen }: SeeingParent,
): Promise<SplitAfterParent> {
  const asked = splitDataset(dataset, options);
  if (seen === null) return { split: asked, movedFrames: 0 };
  const { frames } = dataset;
  const met = meetingsOf(frames, await frameKeys(dataset, frames), seen);
  const partOf = new Map(
    parts.flatMap((part) => asked[part].map((frame): [DatasetFrame, Part] => [frame, part])),
  );
  const split: Record<Part, DatasetFrame[]> = { training: [], validation: [], heldOut: [] };
  let movedFrames = 0;
  for (const [at, frame] of frames.entries()) {
    const part = partOf.get(frame);
    if (part === undefined) continue;
    const own = partAfter(part, met[at] ?? 'nothing');
    split[own].push(frame);
    if (own !== part) movedFrames += 1;
  }
  const trains = new Set(split.training);
  const learnt = asked.validation.filter((frame) => trains.has(frame)).length;
  if (split.validation.length < Math.min(enoughFrames, asked.validation.length / 2)) {
    throw new DomainError(
      'option_invalid',
      `expected validation frames that ${ref} was not trained on, nor on others of their fields of view: it was on ${learnt} of ${asked.validation.length}, the ${split.validation.length} that are left are too few; take the frames, split and seed that it was trained with, a smaller training part, or more frames`,
    );
  }
  if (asked.heldOut.length > 0 && split.heldOut.length === 0) {
    throw new DomainError(
      'option_invalid',
      `expected frames to hold out that ${ref} has not seen, nor others of their fields of view: it has seen all ${asked.heldOut.length}; hold out what it held out, or more frames`,
    );
  }
  return { split, movedFrames };
}

function partAfter(part: Part, meeting: Meeting): Part {
  if (meeting === 'trainedOn') return 'training';
  const choseThere = meeting === 'validatedOn' || meeting === 'besideValidated';
  return part === 'heldOut' && choseThere ? 'validation' : part;
}
