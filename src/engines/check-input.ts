import { DomainError } from '../errors.js';
import type { SessionSpec } from './engine.js';

/** Throws `model_failed` unless the bytes are so many rows of the model's input. */
export function assertRows(
  input: Uint8Array,
  batchSize: number,
  spec: Pick<SessionSpec, 'inputShape' | 'raw'>,
): void {
  const shape = inputShapeOf(spec);
  const bytesEach = spec.raw?.pixelType === 'uint16' ? 2 : 1;
  const expected = shape.reduce((product, size) => product * size, batchSize * bytesEach);
  if (input.byteLength === expected) return;
  throw new DomainError(
    'model_failed',
    `expected ${expected} bytes for ${batchSize} frames, got ${input.byteLength}`,
  );
}

/** `[C, H, W]` of what a session is given: of the planes as they came, where it takes those. */
export function inputShapeOf({
  inputShape,
  raw,
}: Pick<SessionSpec, 'inputShape' | 'raw'>): SessionSpec['inputShape'] {
  return raw ? [inputShape[0], raw.heightPx, raw.widthPx] : inputShape;
}
