import type { GraphBuilder } from './graph-builder.js';
import { boundShape, type Value } from './value.js';

/**
 * `value`, bit for bit, but not before every one of `before` is there.
 *
 * A runtime may order nodes as it likes as long as each has its inputs. ONNX Runtime
 * walks from the outputs, which runs all gradients of one layer before the next and
 * keeps everything alive for it. One element of each predecessor, clipped to zero and
 * added, is a need that no runtime can see through.
 */
export function startAfter(builder: GraphBuilder, value: Value, before: readonly Value[]): Value {
  if (before.length === 0) return value;
  const elements = before.map((predecessor) => firstElement(builder, predecessor));
  const sum = builder.sum(elements);
  const zero = builder.scalar(0);
  const nothing = builder.node('Clip', [sum, zero, zero], ['float32', [1]]);
  return builder.node('Add', [value, nothing], ['float32', value.shape]);
}

function firstElement(builder: GraphBuilder, value: Value): Value {
  const axes = boundShape(value.shape).map((_, axis) => axis);
  const all = (number: number): Value => builder.integers(...axes.map(() => number));
  const corner = builder.node(
    'Slice',
    [value, all(0), all(1), builder.integers(...axes)],
    ['float32', axes.map(() => 1)],
  );
  return builder.node('Reshape', [corner, builder.integers(1)], ['float32', [1]]);
}
