import type { RunSpec } from '../src/training/index.js';

/** One way to train, by what it changes of a spec's defaults. */
export interface Recipe {
  readonly name: string;
  readonly spec: Partial<RunSpec>;
  /** Where a label is given: at 0.5 as the seed did, or as chosen on the validation fields. */
  readonly thresholds: 'half' | 'validation';
}

/** What the experiment compares, the best first: who stops it early has that. */
export const recipes: readonly Recipe[] = [
  {
    name: 'resnet-small',
    thresholds: 'validation',
    spec: {
      network: 'resnet-small',
      // Twice the steps that 32 frames a step would make, at the same cost an epoch.
      batchSize: 16,
      epochs: 60,
      patience: 60,
      learningRate: 4e-3,
      schedule: 'cosine',
      optimiser: 'adamw',
      weightDecay: 0.05,
      clipNorm: 1,
      emaDecay: 0.99,
      augmentation: 'cells',
      loss: 'weighted',
      maxPositiveWeight: 3,
      sampling: 'balanced',
    },
  },
  ...[3, 7].map((epochs) => ({
    name: `seed-cnn, ${epochs} epochs`,
    thresholds: 'half' as const,
    spec: { network: 'seed-cnn', batchSize: 32, epochs, patience: epochs },
  })),
];
