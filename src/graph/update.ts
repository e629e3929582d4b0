import type { GraphBuilder } from './graph-builder.js';
import { type AdamOptions, adam } from './optimisers/adam.js';
import { adamW } from './optimisers/adamw.js';
import { clipGradients } from './optimisers/clip-gradients.js';
import { movingAverage } from './optimisers/moving-average.js';
import type { Value } from './value.js';

/** How gradients become the next weights. */
export interface UpdateOptions {
  /** Constants of Adam, for both optimisers. */
  readonly adam?: AdamOptions;
  /** Makes it AdamW with this λ. @default 0, which is Adam */
  readonly weightDecay?: number;
  /** Bound of the norm of all gradients together. @default 0, which is none */
  readonly clipNorm?: number;
  /** Keeps an average of the weights, of this decay. @default 0, which is none */
  readonly emaDecay?: number;
}

/** A parameter that is learnt, with what is kept about it from step to step. */
export interface Learnt {
  readonly value: Value;
  readonly m: Value;
  readonly v: Value;
  /** The average of its values; null where none is kept. */
  readonly average: Value | null;
}

/** Makes the inputs of a parameter that is learnt: `conv1/kernel`, `.../m`, `.../v`, `.../ema`. */
export function learntInput(
  builder: GraphBuilder,
  { name, shape }: { readonly name: string; readonly shape: readonly number[] },
  { emaDecay = 0 }: UpdateOptions,
): Learnt {
  const input = (ending: string): Value => builder.input(`${name}${ending}`, 'float32', shape);
  return {
    value: input(''),
    m: input('/m'),
    v: input('/v'),
    average: emaDecay > 0 ? input(averageEnding) : null,
  };
}

/** Ends the name of a parameter's average. */
export const averageEnding = '/ema';

/** A value of a step, and the one it becomes. */
export interface Change {
  readonly before: Value;
  readonly after: Value;
}

/** Writes the step of all parameters, given their gradients in the same order. */
export function writeUpdate(
  builder: GraphBuilder,
  {
    learnt,
    gradients,
    learningRate,
    step,
  }: {
    readonly learnt: readonly Learnt[];
    readonly gradients: readonly Value[];
    readonly learningRate: Value;
    readonly step: Value;
  },
  { adam: constants, weightDecay = 0, clipNorm = 0, emaDecay = 0 }: UpdateOptions,
): readonly Change[] {
  const update =
    weightDecay > 0
      ? adamW(builder, { learningRate, step }, { ...constants, weightDecay })
      : adam(builder, { learningRate, step }, constants);
  const average = emaDecay > 0 ? movingAverage(builder, step, emaDecay) : null;
  const bounded = clipNorm > 0 ? clipGradients(builder, gradients, clipNorm) : gradients;
  return learnt.flatMap((each, index) => {
    const next = update(each.value, bounded[index]!, each);
    const changes = [
      { before: each.value, after: next.parameter },
      { before: each.m, after: next.m },
      { before: each.v, after: next.v },
    ];
    if (!average || !each.average) return changes;
    return [...changes, { before: each.average, after: average(each.average, next.parameter) }];
  });
}
