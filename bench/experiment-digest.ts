import { createHash } from 'node:crypto';
import { completeSpec, parseRunSpec, type RunSpec } from '../src/training/index.js';
import { createNetwork } from '../src/training/networks/index.js';
import { shapeOf } from '../src/training/run-network.js';
import type { Recipe } from './experiment-recipes.js';

/**
 * Tells one recipe from another of the same name: by what it asks of its runs and by the
 * layers of their networks. Results of different digests are never averaged.
 */
export function digestRecipe({ name: _, ...recipe }: Recipe): string {
  const specs = [recipe.spec, ...(recipe.beginning ? [recipe.beginning.spec] : [])];
  return digest([recipe, specs.map(networkOf)]);
}

/** The same of what a recipe begins with, which other recipes may begin with as well. */
export function digestBeginning(beginning: NonNullable<Recipe['beginning']>): string {
  return digest([beginning, networkOf(beginning.spec)]);
}

function networkOf(spec: Partial<RunSpec>) {
  const parsed = parseRunSpec({ ...spec, dataPath: 'any', model: 'any' });
  if ('faults' in parsed) throw new Error(parsed.faults.join('; '));
  const complete = completeSpec(parsed.value, null);
  return createNetwork(complete.network, shapeOf(complete));
}

function digest(of: unknown): string {
  return createHash('sha256').update(JSON.stringify(of)).digest('hex').slice(0, 12);
}
