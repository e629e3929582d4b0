/** One layer of a network; sizes follow from the layer before. */
export type Layer =
  | {
      readonly kind: 'conv';
      readonly name: string;
      readonly filters: number;
      readonly kernelPx: number;
    }
  | { readonly kind: 'relu' }
  | { readonly kind: 'maxPool'; readonly sizePx: number }
  | { readonly kind: 'dropout'; readonly rate: number }
  | { readonly kind: 'flatten' }
  | { readonly kind: 'dense'; readonly name: string; readonly units: number };

/** A network as data: uint8 `[N, C, H, W]` in, one logit a label out. */
export interface Network {
  readonly name: string;
  readonly inputShape: readonly [channels: number, heightPx: number, widthPx: number];
  readonly layers: readonly Layer[];
}

/** Weights by name: `conv1/kernel` `[out, in, 3, 3]`, `conv1/bias` `[out]`, `dense1/kernel` `[in, out]`. */
export type Parameters = ReadonlyMap<
  string,
  { readonly shape: readonly number[]; readonly values: Float32Array }
>;
