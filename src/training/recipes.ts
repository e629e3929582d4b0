import type { RunSpec } from './run.js';

/**
 * How a spec may be filled where nothing else is said; `card` is the defaults of a spec,
 * those of the network that the product began with.
 */
export const recipes = {
  card: {},
  // Measured in docs/decisions/0022 and 0025 and in docs/measured.md, on 1,500 to 6,000 cells.
  residual: {
    network: 'resnet-small',
    // Twice the steps that 32 frames a step would make, at the same cost an epoch.
    batchSize: 16,
    epochs: 60,
    // A cosine is at its best when it ends.
    patience: 60,
    learningRate: 4e-3,
    schedule: 'cosine',
    optimiser: 'adamw',
    weightDecay: 0.05,
    clipNorm: 1,
    emaDecay: 0.99,
    loss: 'weighted',
    maxPositiveWeight: 3,
    augmentation: 'cells',
  },
} as const satisfies Readonly<Record<string, Partial<RunSpec>>>;
