import type { Network } from '../../graph/index.js';
import type { NetworkShape } from './index.js';

/**
 * The network of the notebook that the product grew from: three pairs of 3×3 convolutions of 32 and 64 filters with
 * a pool after the first two, a dense layer of 128, dropouts of 0.25 and 0.5, one
 * logit a label. At 4×128×128 and 28 labels it has 5,217,340 parameters. Needs at
 * least 32 px a side.
 */
export function seedCnn({ channels, heightPx, widthPx, labelCount }: NetworkShape): Network {
  return {
    name: 'seed-cnn',
    inputShape: [channels, heightPx, widthPx],
    layers: [
      { kind: 'conv', name: 'conv1', filters: 32, kernelPx: 3 },
      { kind: 'relu' },
      { kind: 'conv', name: 'conv2', filters: 64, kernelPx: 3 },
      { kind: 'relu' },
      { kind: 'maxPool', sizePx: 2 },
      { kind: 'conv', name: 'conv3', filters: 32, kernelPx: 3 },
      { kind: 'relu' },
      { kind: 'conv', name: 'conv4', filters: 64, kernelPx: 3 },
      { kind: 'relu' },
      { kind: 'maxPool', sizePx: 2 },
      { kind: 'conv', name: 'conv5', filters: 32, kernelPx: 3 },
      { kind: 'relu' },
      { kind: 'conv', name: 'conv6', filters: 64, kernelPx: 3 },
      { kind: 'relu' },
      { kind: 'flatten' },
      { kind: 'dropout', rate: 0.25 },
      { kind: 'dense', name: 'dense1', units: 128 },
      { kind: 'relu' },
      { kind: 'dropout', rate: 0.5 },
      { kind: 'dense', name: 'dense2', units: labelCount },
    ],
  };
}
