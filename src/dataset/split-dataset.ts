import { DomainError } from '../errors.js';
import type { Dataset, DatasetFrame } from './dataset.js';
import { divideGroups } from './divide-groups.js';

export interface SplitOptions {
  /** Part of the frames that is used at all, above 0 to 1. */
  readonly share: number;
  /** Part of the used frames that trains, above 0 and below 1. */
  readonly trainingPart: number;
  /** `auto`: by group where any frame has one, else the first part. */
  readonly split: 'auto' | 'first' | 'group';
  readonly seed: number;
  /** Part of the frames that takes part in nothing, from 0 to below 1. @default 0 */
  readonly heldOut?: number;
}

/** The parts; no frame is in two of them, and no group where they are divided by group. */
export interface DatasetSplit {
  readonly training: readonly DatasetFrame[];
  readonly validation: readonly DatasetFrame[];
  /** What takes part in nothing; empty unless it is asked for. */
  readonly heldOut: readonly DatasetFrame[];
}

/** Held-out groups are the same whatever the seed, so that runs of any seed can be compared on them. */
const heldOutSeed = 0;

/**
 * Cuts a dataset into a training and a validation part, after what is held out was put aside;
 * each in the order of the file.
 *
 * `first`: the last `heldOut` of the rows is put aside, the first `share` of the others is used,
 * and the first `trainingPart` of those trains. `group`: whole groups are kept, and whole groups lie on one side, drawn by seed
 * such that every label is spread as evenly as whole groups allow; a frame without a
 * group is one of its own.
 *
 * Throws `option_invalid` when a part would be empty, or there is no group to split by.
 */
export function splitDataset(
  { frames }: Pick<Dataset, 'frames'>,
  { share, trainingPart, split, seed, heldOut: heldOutPart = 0 }: SplitOptions,
): DatasetSplit {
  const hasGroups = frames.some(({ group }) => group !== null);
  if (split === 'group' && !hasGroups) {
    throw new DomainError(
      'option_invalid',
      'a split by group expects a column Group or Ids that end in -<n>, the dataset has neither',
    );
  }
  const byGroup = split === 'group' || (split === 'auto' && hasGroups);
  const { kept, heldOut } = putAside(frames, heldOutPart, byGroup);
  const parts = {
    heldOut,
    ...(byGroup
      ? splitByGroup(kept, { share, trainingPart, seed })
      : splitFirst(kept, { share, trainingPart })),
  };
  if (heldOutPart > 0 && heldOut.length === 0) {
    throw new DomainError(
      'option_invalid',
      `expected frames to hold out, a part of ${heldOutPart} of ${frames.length} frames is none`,
    );
  }
  if (parts.training.length === 0 || parts.validation.length === 0) {
    throw new DomainError(
      'option_invalid',
      `expected frames for training and for validation, a share of ${share} and a training part of ${trainingPart} leave ${parts.training.length} and ${parts.validation.length} of ${frames.length}`,
    );
  }
  return parts;
}

function putAside(
  frames: readonly DatasetFrame[],
  part: number,
  byGroup: boolean,
): { readonly kept: readonly DatasetFrame[]; readonly heldOut: readonly DatasetFrame[] } {
  if (part === 0) return { kept: frames, heldOut: [] };
  if (!byGroup) {
    const cut = frames.length - Math.round(frames.length * part);
    return { kept: frames.slice(0, cut), heldOut: frames.slice(cut) };
  }
  const [kept = [], heldOut = []] = divideGroups(frames, {
    parts: [1 - part, part],
    seed: heldOutSeed,
  });
  return { kept, heldOut };
}

type TrainedParts = Omit<DatasetSplit, 'heldOut'>;

function splitFirst(
  frames: readonly DatasetFrame[],
  { share, trainingPart }: Pick<SplitOptions, 'share' | 'trainingPart'>,
): TrainedParts {
  const used = frames.slice(0, Math.round(frames.length * share));
  const cut = Math.floor(used.length * trainingPart);
  return { training: used.slice(0, cut), validation: used.slice(cut) };
}

function splitByGroup(
  frames: readonly DatasetFrame[],
  { share, trainingPart, seed }: Pick<SplitOptions, 'share' | 'trainingPart' | 'seed'>,
): TrainedParts {
  const divide = (of: readonly DatasetFrame[], part: number) =>
    divideGroups(of, { parts: [part, 1 - part], seed });
  const [used = []] = share < 1 ? divide(frames, share) : [frames];
  const [training = [], validation = []] = divide(used, trainingPart);
  return { training, validation };
}
