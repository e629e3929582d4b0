import type { BatchedRow } from '../batching/index.js';
import { DomainError } from '../errors.js';

interface Answering {
  readonly name: string;
  readonly version: number;
}

/**
 * Throws `answer_invalid` for an answer with a number that is not finite: the version's weights,
 * or in half precision its sums, leave what floats hold, for this frame or for all. It is no
 * fault of the run, so that the other frames of the batch keep their answers.
 */
export function assertFinite(
  { probabilities, distance = 0 }: Pick<BatchedRow, 'probabilities' | 'distance'>,
  by: Answering,
): void {
  for (let at = 0; at < probabilities.length; at += 1) {
    const value = probabilities[at] ?? 0;
    if (!Number.isFinite(value))
      throw fault(by, value, `label ${at + 1} of ${probabilities.length}`);
  }
  if (!Number.isFinite(distance)) throw fault(by, distance, 'its distance');
}

function fault({ name, version }: Answering, value: number, what: string): DomainError {
  return new DomainError(
    'answer_invalid',
    `expected finite numbers, ${name}@${version} gave ${value} for ${what}: use another version, or --precision full where it is served in half`,
  );
}
