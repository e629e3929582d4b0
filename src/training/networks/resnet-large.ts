import type { Network } from '../../graph/index.js';
import type { NetworkShape } from './index.js';
import { residualNet } from './residual-net.js';

/**
 * The residual network for sets of some ten thousand frames and more: 48, 96, 192 and 384
 * filters, two blocks each, 6,325,132 parameters at 28 labels. It takes as long as `seed-cnn`. Needs at least 32 px a side.
 */
export const resnetLarge = (shape: NetworkShape): Network =>
  residualNet(
    {
      name: 'resnet-large',
      stemFilters: 32,
      stages: [
        { filters: 48, blocks: 2 },
        { filters: 96, blocks: 2 },
        { filters: 192, blocks: 2 },
        { filters: 384, blocks: 2 },
      ],
      dropoutRate: 0.3,
    },
    shape,
  );
