import type { GraphBuilder } from '../graph-builder.js';
import { boundShape, type Shape, type Value } from '../value.js';

/** Adds rows and columns of zeros at the bottom and the right of `[N, C, H, W]`, where they lack. */
export function padToSize(builder: GraphBuilder, value: Value, shape: Shape): Value {
  const [from, to] = [boundShape(value.shape), boundShape(shape)];
  if (`${from}` === `${to}`) return value;
  const missing = to.map((size, axis) => size - from[axis]!);
  const pads = builder.integers(...missing.map(() => 0), ...missing);
  return builder.node('Pad', [value, pads], ['float32', shape]);
}
