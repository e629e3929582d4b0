import { DomainError } from '../../errors.js';
import { describeShape, type Shape } from '../value.js';

/**
 * What is left of `[N, C, H, W]` when each `sizePx` by `sizePx` window becomes one pixel:
 * `[N, C, ⌊H/s⌋, ⌊W/s⌋]`. Throws `option_invalid` for less than one window.
 */
export function pooledShape(input: Shape, sizePx: number): Shape {
  const [batch, channels, heightPx, widthPx] = input;
  if (input.length !== 4 || Number(heightPx) < sizePx || Number(widthPx) < sizePx) {
    throw new DomainError(
      'option_invalid',
      `expected at least ${sizePx} by ${sizePx} px to pool, got ${describeShape(input)}`,
    );
  }
  const pooled = (size: unknown): number => Math.floor(Number(size) / sizePx);
  return [batch!, channels!, pooled(heightPx), pooled(widthPx)];
}
