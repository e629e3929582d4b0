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
}

/** The two parts; no frame is in both, and no group where they are divided by group. */
export interface DatasetSplit {
  readonly training: readonly DatasetFrame[];
  readonly validation: readonly DatasetFrame[];
}

/**
 * Cuts a dataset into a training and a validation part, both in the order of the file.
 *
 * `first`: the first `share` of the rows is used, and the first `trainingPart` of those
 * trains. `group`: whole groups are kept, and whole groups lie on one side, drawn by seed
 * such that every label is spread as evenly as whole groups allow; a frame without a
 * group is one of its own.
 *
 * Throws `option_invalid` when a part would be empty, or there is no group to split by.
 */
export function splitDataset(
  { frames }: Pick<Dataset, 'frames'>,
  { share, trainingPart, split, seed }: SplitOptions,
): DatasetSplit {
  const hasGroups = frames.some(({ group }) => group !== null);
  if (split === 'group' && !hasGroups) {
    throw new DomainError(
      'option_invalid',
      'a split by group expects a column Group or Ids that end in -<n>, the dataset has neither',
    );
  }
  const parts =
    split === 'group' || (split === 'auto' && hasGroups)
      ? splitByGroup(frames, { share, trainingPart, seed })
      : splitFirst(frames, { share, trainingPart });
  if (parts.training.length === 0 || parts.validation.length === 0) {
    throw new DomainError(
      'option_invalid',
      `expected frames for training and for validation, a share of ${share} and a training part of ${trainingPart} leave ${parts.training.length} and ${parts.validation.length} of ${frames.length}`,
    );
  }
  return parts;
}

function splitFirst(
  frames: readonly DatasetFrame[],
  { share, trainingPart }: Pick<SplitOptions, 'share' | 'trainingPart'>,
): DatasetSplit {
  const used = frames.slice(0, Math.round(frames.length * share));
  const cut = Math.floor(used.length * trainingPart);
  return { training: used.slice(0, cut), validation: used.slice(cut) };
}

function splitByGroup(
  frames: readonly DatasetFrame[],
  { share, trainingPart, seed }: Pick<SplitOptions, 'share' | 'trainingPart' | 'seed'>,
): DatasetSplit {
  const divide = (of: readonly DatasetFrame[], part: number) =>
    divideGroups(of, { parts: [part, 1 - part], seed });
  const [used = []] = share < 1 ? divide(frames, share) : [frames];
  const [training = [], validation = []] = divide(used, trainingPart);
  return { training, validation };
}
