import type { GraphBuilder } from '../graph-builder.js';
import type { Value } from '../value.js';
import { type AdamOptions, type AdamUpdate, adam } from './adam.js';

export interface AdamWOptions extends AdamOptions {
  /** λ: a weight loses this part of itself at a rate of 1. */
  readonly weightDecay: number;
}

/**
 * Adam whose weights also shrink by themselves: `θ ← θ·(1 - learningRate·λ)` before the
 * step, whatever their gradient's size. Only kernels shrink: parameters of one dimension
 * are biases and the scales of normalisations, which have nothing to gain from it.
 *
 * Source: Loshchilov and Hutter, ICLR 2019, arXiv 1711.05101, algorithm 2, the schedule
 * multiplied into λ as PyTorch does.
 */
export function adamW(
  builder: GraphBuilder,
  inputs: { readonly learningRate: Value; readonly step: Value },
  { weightDecay, ...options }: AdamWOptions,
): AdamUpdate {
  const update = adam(builder, inputs, options);
  const scalar = (type: string, ...values: Value[]): Value =>
    builder.node(type, values, ['float32', []]);
  const lost = scalar('Mul', inputs.learningRate, builder.scalar(weightDecay));
  const kept = scalar('Sub', builder.scalar(1), lost);
  return (parameter, gradient, slots) => {
    const isKernel = parameter.shape.length > 1;
    const shrunk = isKernel
      ? builder.node('Mul', [parameter, kept], ['float32', parameter.shape])
      : parameter;
    return update(shrunk, gradient, slots);
  };
}
