import type { GraphBuilder } from '../graph-builder.js';
import type { Value } from '../value.js';

/** Writes the next average from the last one and the parameter after the step. */
export type AverageUpdate = (average: Value, parameter: Value) => Value;

/**
 * An average of the weights over the last steps, which wavers less than the weights:
 *
 *     d = min(decay, (1 + t) / (10 + t))
 *     a ← a + (θ - a)·(1 - d)
 *
 * `step` is t, an int64 scalar counted from 1. The second bound lets the average forget
 * where the training began, also in a short one.
 *
 * Source: TensorFlow 2.9's documentation of tf.train.ExponentialMovingAverage, num_updates.
 */
export function movingAverage(builder: GraphBuilder, step: Value, decay: number): AverageUpdate {
  const precise = (type: string, ...inputs: Value[]): Value =>
    builder.node(type, inputs, ['float64', []]);
  const time = builder.node('Cast', [step], ['float64', []], { to: 11 });
  const plus = (offset: number): Value => precise('Add', time, builder.preciseScalar(offset));
  const early = precise('Div', plus(1), plus(10));
  const bounded = precise('Min', early, builder.preciseScalar(decay));
  const share = precise('Sub', builder.preciseScalar(1), bounded);
  const taken = builder.node('Cast', [share], ['float32', []], { to: 1 });

  return (average, parameter) => {
    const on = (type: string, ...inputs: Value[]): Value =>
      builder.node(type, inputs, ['float32', parameter.shape]);
    return on('Add', average, on('Mul', on('Sub', parameter, average), taken));
  };
}
