import type { Layer, Network } from '../../src/graph/index.js';

/** Every kind of layer but dropout, which only trains: 2 channels of 12 by 9 px, 3 labels. */
export const smallNetwork: Network = {
  name: 'small',
  inputShape: [2, 12, 9],
  layers: [
    { kind: 'conv', name: 'conv1', filters: 4, kernelPx: 3 },
    { kind: 'relu' },
    { kind: 'maxPool', sizePx: 2 },
    { kind: 'flatten' },
    { kind: 'dense', name: 'dense1', units: 6 },
    { kind: 'relu' },
    { kind: 'dense', name: 'dense2', units: 3 },
  ],
};

/** The same with dropout before each dense layer. */
export const smallNetworkWithDropout: Network = {
  ...smallNetwork,
  layers: smallNetwork.layers.flatMap<Layer>((layer) =>
    layer.kind === 'dense' ? [{ kind: 'dropout', rate: 0.5 }, layer] : [layer],
  ),
};

/** Pixels that look like nothing in particular. */
export const somePixels = (frames: number, [channels, height, width]: Network['inputShape']) =>
  Uint8Array.from(
    { length: frames * channels * height * width },
    (_, i) => Math.imul(i + 7, 2654435761) >>> 24,
  );
