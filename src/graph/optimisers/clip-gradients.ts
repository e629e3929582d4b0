import type { GraphBuilder } from '../graph-builder.js';
import type { Value } from '../value.js';

/**
 * Shortens all gradients together where their common norm is above `norm`, so that one
 * odd batch cannot throw the weights far: each times `min(1, norm / (‖g‖ + 1e-6))`.
 *
 * Source: Pascanu, Mikolov and Bengio, ICML 2013, section 3.2; the 1e-6 is PyTorch's.
 */
export function clipGradients(
  builder: GraphBuilder,
  gradients: readonly Value[],
  norm: number,
): readonly Value[] {
  const scalar = (type: string, ...values: Value[]): Value =>
    builder.node(type, values, ['float32', []]);
  const squares = gradients.map((gradient) =>
    builder.node('ReduceSumSquare', [gradient], ['float32', []], { keepdims: 0 }),
  );
  const length = scalar('Sqrt', builder.sum(squares));
  const part = scalar('Div', builder.scalar(norm), scalar('Add', length, builder.scalar(1e-6)));
  const factor = scalar('Min', part, builder.scalar(1));
  return gradients.map((gradient) =>
    builder.node('Mul', [gradient, factor], ['float32', gradient.shape]),
  );
}
