import type { GraphBuilder } from './graph-builder.js';
import type { Shape, Value } from './value.js';

/** Numbers that an operator needs beside its inputs: a pool's size, a dropout's rate. */
export type Attributes = Readonly<Record<string, number>>;

/** What the forward pass leaves for the gradient. */
export interface ForwardResult {
  readonly output: Value;
  /** Values beside inputs and output that the gradient reads, such as a pool's indices. */
  readonly saved: readonly Value[];
}

/** One use of an operator in a graph. */
export interface Application extends ForwardResult {
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  /** Which inputs' gradients are asked for; others cost nothing. */
  readonly wanted: readonly boolean[];
}

/** A differentiable operation: one file each in `operators/`, one line each in its table. */
export interface Operator {
  /** Where the formulas of both passes come from. */
  readonly source: string;
  /** Shape of the output. Throws `option_invalid` where the inputs do not fit. */
  shape(inputs: readonly Shape[], attributes: Attributes): Shape;
  /** Writes the nodes of the forward pass. */
  forward(builder: GraphBuilder, inputs: readonly Value[], attributes: Attributes): ForwardResult;
  /**
   * Writes the nodes of the gradients, asked for when at least one is wanted: one entry
   * an input, null where there is none (masks, targets). An operator whose gradients are
   * dear writes only the wanted ones. Every shape is bound here.
   */
  backward(
    builder: GraphBuilder,
    application: Application,
    outputGradient: Value,
  ): readonly (Value | null)[];
}
