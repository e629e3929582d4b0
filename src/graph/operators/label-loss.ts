import { DomainError } from '../../errors.js';
import type { GraphBuilder } from '../graph-builder.js';
import type { Attributes, Operator } from '../operator.js';
import { describeShape, type Shape, type Value } from '../value.js';

/** Writes something of every label of every frame: `[N, L]` from `[N, L]`. */
export type ElementWriter = (
  on: (type: string, ...inputs: Value[]) => Value,
  values: { readonly logits: Value; readonly targets: Value; readonly labelWeights: Value | null },
  constant: (value: number) => Value,
  attributes: Attributes,
) => Value;

export interface LabelLossOptions {
  readonly source: string;
  /** Whether a fourth input `[L]` holds a weight a label. */
  readonly hasLabelWeights: boolean;
  /** The loss of each answer. */
  readonly loss: ElementWriter;
  /** Its derivative by the logit. */
  readonly derivative: ElementWriter;
}

/**
 * Makes an operator of a loss of single answers: the mean over labels and the weighted
 * sum over frames. Logits `[N, L]`, targets `[N, L]`, frame weights `[N]` → a scalar.
 * Weights that add up to 1 make it a mean. A frame of weight 0 adds exactly nothing,
 * forward or backward.
 */
export function labelLoss({
  source,
  hasLabelWeights,
  loss,
  derivative,
}: LabelLossOptions): Operator {
  const shape = ([logits, targets, weights, labelWeights]: readonly Shape[]): Shape => {
    const fits =
      logits!.length === 2 &&
      `${logits}` === `${targets}` &&
      `${weights}` === `${logits![0]}` &&
      (!hasLabelWeights || `${labelWeights}` === `${logits![1]}`);
    if (fits) return [];
    const given = [logits, targets, weights, ...(hasLabelWeights ? [labelWeights] : [])];
    throw new DomainError(
      'option_invalid',
      `expected logits and targets of one shape, a weight a frame${hasLabelWeights ? ' and one a label' : ''}, got ${given.map((each) => describeShape(each!)).join(', ')}`,
    );
  };
  const write = (
    writer: ElementWriter,
    builder: GraphBuilder,
    inputs: readonly Value[],
    attributes: Attributes,
  ): Value => {
    const [logits, targets, , labelWeights = null] = inputs as [Value, Value, Value, Value?];
    return writer(
      (type, ...values) => builder.node(type, values, ['float32', logits.shape]),
      { logits, targets, labelWeights },
      (value) => builder.scalar(value),
      attributes,
    );
  };
  return {
    source,
    shape,
    forward(builder, inputs, attributes) {
      shape(inputs.map((input) => input.shape));
      const [logits, , weights] = inputs as [Value, Value, Value];
      const losses = write(loss, builder, inputs, attributes);
      const share = shareOf(builder, logits, weights);
      const weighted = builder.node('Mul', [losses, share], ['float32', logits.shape]);
      const output = builder.node('ReduceSum', [weighted], ['float32', []], { keepdims: 0 });
      return { output, saved: [share] };
    },
    backward(builder, { inputs, saved, attributes }, outputGradient) {
      const { shape: logitsShape } = inputs[0]!;
      const slope = write(derivative, builder, inputs, attributes);
      const scaled = builder.node('Mul', [slope, saved[0]!], ['float32', logitsShape]);
      const gradient = builder.node('Mul', [scaled, outputGradient], ['float32', logitsShape]);
      return [gradient, ...inputs.slice(1).map(() => null)];
    },
  };
}

/** `[N, 1]`: what one label of each frame counts. */
function shareOf(builder: GraphBuilder, logits: Value, weights: Value): Value {
  const [batch, labels] = logits.shape;
  const share = builder.scalar(1 / Number(labels));
  const shares = builder.node('Mul', [weights, share], ['float32', weights.shape]);
  return builder.node('Unsqueeze', [shares, builder.integers(1)], ['float32', [batch!, 1]]);
}
