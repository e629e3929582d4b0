/** One layer of a network; sizes follow from the layer before. */
export type Layer =
  | {
      readonly kind: 'conv';
      readonly name: string;
      readonly filters: number;
      readonly kernelPx: number;
      /** Keeps the size, with zeros around; the kernel is then of odd size. @default false */
      readonly isPadded?: boolean;
    }
  | {
      readonly kind: 'groupNorm';
      readonly name: string;
      readonly groups: number;
      /** What the gains start at. @default 1 */
      readonly gain?: number;
    }
  /** Each group of channels of each frame, less its mean and over its deviation. */
  | { readonly kind: 'standardise'; readonly groups: number }
  | { readonly kind: 'relu' }
  | { readonly kind: 'maxPool'; readonly sizePx: number }
  | { readonly kind: 'averagePool'; readonly sizePx: number }
  | { readonly kind: 'globalAveragePool' }
  | { readonly kind: 'spaceToDepth'; readonly sizePx: number }
  | Residual
  | Stages
  | { readonly kind: 'dropout'; readonly rate: number }
  | { readonly kind: 'flatten' }
  | { readonly kind: 'dense'; readonly name: string; readonly units: number };

/**
 * What its layers make of the input, plus what its shortcut makes of it: an empty shortcut
 * is the input itself. It holds no dropout.
 */
export interface Residual {
  readonly kind: 'residual';
  readonly layers: readonly Layer[];
  readonly shortcut: readonly Layer[];
}

/**
 * Stages one behind the other, each read where it ends: the mean of each of its planes, then
 * the largest value of each, stage by stage: `[N, C, H, W]` → `[N, 2·(C₁ + C₂ + …)]`. They
 * hold no dropout.
 */
export interface Stages {
  readonly kind: 'stages';
  readonly stages: readonly (readonly Layer[])[];
}

/** A network as data: uint8 `[N, C, H, W]` in, one logit a label out. */
export interface Network {
  readonly name: string;
  readonly inputShape: readonly [channels: number, heightPx: number, widthPx: number];
  readonly layers: readonly Layer[];
}

/** Weights by name: `conv1/kernel` `[out, in, 3, 3]`, `conv1/bias` `[out]`, `dense1/kernel` `[in, out]`, `norm1/gain` `[C]`. */
export type Parameters = ReadonlyMap<
  string,
  { readonly shape: readonly number[]; readonly values: Float32Array }
>;
