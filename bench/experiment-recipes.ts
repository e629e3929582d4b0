import { type RunSpec, recipes as trainingRecipes } from '../src/training/index.js';
import type { BeginningRecipe } from './experiment-beginning.js';

/** One way to train, by what it changes of a spec's defaults. */
export interface Recipe {
  readonly name: string;
  readonly spec: Partial<RunSpec>;
  /** What its weights come from; without one they are drawn by the seed. */
  readonly beginning?: BeginningRecipe;
  /** Where a label is given: at 0.5, or as chosen on the validation fields. */
  readonly thresholds: 'half' | 'validation';
}

/** What the experiment compares, the best first: who stops it early has that. */
export const recipes: readonly Recipe[] = [
  {
    name: 'resnet-small, begun on simulated cells',
    thresholds: 'validation',
    beginning: {
      frameCount: 6000,
      // The cells of a dataset are of sizes of their own.
      spec: { ...trainingRecipes.residual, epochs: 12, augmentation: 'sizes' },
    },
    spec: {
      ...trainingRecipes.residual,
      ...{ learningRate: 2e-3, epochs: 30, sampling: 'balanced' },
    },
  },
  {
    name: 'resnet-small',
    thresholds: 'validation',
    spec: { ...trainingRecipes.residual, sampling: 'balanced' },
  },
  ...[3, 7].map((epochs) => ({
    name: `seed-cnn, ${epochs} epochs`,
    thresholds: 'half' as const,
    spec: { network: 'seed-cnn', batchSize: 32, epochs, patience: epochs },
  })),
];
