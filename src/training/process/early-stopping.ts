/** Says after each epoch whether it was the best so far, and when it is time to stop. */
export interface EarlyStopping {
  /** Takes the next epoch's validation loss. */
  observe(validationLoss: number): { readonly isBest: boolean; readonly isOver: boolean };
  /** From 1; 0 before the first epoch. */
  readonly bestEpoch: number;
}

/**
 * Stops after `patience` epochs in a row without a lower validation loss, as Keras's
 * EarlyStopping does with `min_delta` 0: an equal loss is no better one.
 */
export function createEarlyStopping(patience: number): EarlyStopping {
  let best = Number.POSITIVE_INFINITY;
  let bestEpoch = 0;
  let epoch = 0;
  return {
    observe(validationLoss) {
      epoch += 1;
      const isBest = validationLoss < best;
      if (isBest) {
        best = validationLoss;
        bestEpoch = epoch;
      }
      return { isBest, isOver: epoch - bestEpoch >= patience };
    },
    get bestEpoch() {
      return bestEpoch;
    },
  };
}
