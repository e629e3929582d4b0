import { DomainError } from '../errors.js';
import type { GraphBuilder } from './graph-builder.js';
import { operators } from './operators/index.js';
import type { Tape } from './tape.js';
import type { Value } from './value.js';

/** What a training makes small: how the answers to each label of each frame are judged. */
export type Loss =
  | { readonly kind: 'bce' }
  /** `positiveWeights`: how many times a label's "yes" counts, one a label. */
  | { readonly kind: 'weighted'; readonly positiveWeights: readonly number[] }
  /** `gamma` above 0; 2 in the paper. */
  | { readonly kind: 'focal'; readonly gamma: number };

/** Writes the loss of logits `[N, L]` against targets `[N, L]`, frames weighted by `shares` `[N]`. */
export type LossWriter = (
  tape: Pick<Tape, 'apply'>,
  values: { readonly logits: Value; readonly targets: Value; readonly shares: Value },
) => Value;

/**
 * Makes the writer of a loss for one graph, in which it may be used several times.
 * Throws `option_invalid` where there is not a weight for each of `labelCount` labels.
 */
export function createLossWriter(
  builder: GraphBuilder,
  loss: Loss,
  labelCount: number,
): LossWriter {
  switch (loss.kind) {
    case 'bce':
      return (tape, { logits, targets, shares }) =>
        tape.apply(operators.sigmoidCrossEntropy, [logits, targets, shares]);
    case 'weighted': {
      const values = Float32Array.from(loss.positiveWeights);
      if (values.length !== labelCount) {
        throw new DomainError(
          'option_invalid',
          `expected a weight for each of ${labelCount} labels, got ${values.length}`,
        );
      }
      const tensor = { type: 'float32', shape: [labelCount], values } as const;
      const weights = builder.initializer('positiveWeights', tensor);
      return (tape, { logits, targets, shares }) =>
        tape.apply(operators.weightedCrossEntropy, [logits, targets, shares, weights]);
    }
    case 'focal':
      return (tape, { logits, targets, shares }) =>
        tape.apply(operators.focalLoss, [logits, targets, shares], { gamma: loss.gamma });
  }
}
