import { DomainError } from '../errors.js';
import type { SessionSpec } from './engine.js';

/** Throws `model_failed` unless the bytes are so many rows of the model's input. */
export function assertRows(
  input: Uint8Array,
  batchSize: number,
  { inputShape }: Pick<SessionSpec, 'inputShape'>,
): void {
  const expected = inputShape.reduce((product, size) => product * size, batchSize);
  if (input.byteLength === expected) return;
  throw new DomainError(
    'model_failed',
    `expected ${expected} bytes for ${batchSize} frames, got ${input.byteLength}`,
  );
}
