import { type RunSpec, recipes as trainingRecipes } from '../training/index.js';

/** How the demo trains a network, and what it asks of it. */
export interface Recipe {
  /** What differs from the defaults of a run. */
  readonly spec: Partial<RunSpec>;
  /** Macro F1 that it reaches after all its epochs on frames that it has not seen; 0 promises nothing. */
  readonly leastMacroF1: number;
}

const divided = { split: 'first', trainingPart: 0.85 } as const satisfies Partial<RunSpec>;

const seedCnn = {
  network: 'seed-cnn',
  epochs: 5,
  learningRate: 1e-3,
  batchSize: 16,
  schedule: 'cosine',
  clipNorm: 1,
  // One "yes" stands against twenty "no": without more weight the first epochs only learn to say "no".
  loss: 'weighted',
  maxPositiveWeight: 3,
} as const satisfies Partial<RunSpec>;

/** The networks that the demo trains, the one that it trains unasked first (docs/decisions/0022). */
export const recipes = {
  'resnet-small': {
    // Every cell is seen as it will be: all are simulated at one size.
    spec: { ...trainingRecipes.residual, ...divided, epochs: 12, augmentation: 'none' },
    leastMacroF1: 0.6,
  },
  'seed-cnn': {
    spec: { ...seedCnn, ...divided },
    leastMacroF1: 0,
  },
} as const satisfies Readonly<Record<string, Recipe>>;

/** One of them, as `demo --network` takes it. */
export type RecipeName = keyof typeof recipes;
