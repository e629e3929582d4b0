import type { LinearTables } from './interpolate.js';

/** For each target position the source positions `start[i]..start[i+1]` of `position`. */
export interface AreaTable {
  readonly start: Int32Array;
  readonly position: Int32Array;
  /** What each of them counts; those of one target add up to 1. */
  readonly weight: Float32Array;
}

/**
 * What becomes of a plane on its way to another size: `same`, nothing; `boxes`, the mean of
 * whole boxes of pixels; `areas`, the mean of what each target pixel covers; `mix`, four
 * pixels mixed. Settled by the rule and both sizes alone, so that whoever resizes elsewhere
 * does the same.
 */
export type ResizePlan =
  | { readonly kind: 'same' }
  | { readonly kind: 'boxes'; readonly boxWidth: number; readonly boxHeight: number }
  | { readonly kind: 'areas'; readonly x: AreaTable; readonly y: AreaTable }
  | ({ readonly kind: 'mix' } & LinearTables);
