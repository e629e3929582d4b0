import { DomainError } from '../errors.js';
import type { Dataset, DatasetFrame } from './dataset.js';
import { divideGroups } from './divide-groups.js';

/** One way to cut a dataset: what is held out, and the rest. Both in the order of the file. */
export interface Fold {
  readonly heldOut: readonly DatasetFrame[];
  readonly rest: readonly DatasetFrame[];
}

/**
 * Cuts a dataset into folds of about the same size and labels, drawn by seed: every frame
 * is held out once, and frames of one group always together. A frame without a group is
 * one of its own.
 *
 * Throws `option_invalid` for fewer than two folds, or fewer groups than folds.
 */
export function foldDataset(
  { frames }: Pick<Dataset, 'frames'>,
  { folds, seed }: { readonly folds: number; readonly seed: number },
): readonly Fold[] {
  if (!Number.isInteger(folds) || folds < 2) {
    throw new DomainError('option_invalid', `expected at least 2 folds, got ${folds}`);
  }
  const parts = divideGroups(frames, { parts: Array<number>(folds).fill(1 / folds), seed });
  if (parts.some(({ length }) => length === 0)) {
    throw new DomainError(
      'option_invalid',
      `expected frames of at least ${folds} groups for ${folds} folds, got ${frames.length} frames of fewer`,
    );
  }
  return parts.map((part) => {
    const heldOut = new Set(part);
    return { heldOut: part, rest: frames.filter((frame) => !heldOut.has(frame)) };
  });
}
