import test from 'ava';
import { digestBeginning, digestRecipe } from '../../bench/experiment-digest.js';
import { recipes } from '../../bench/experiment-recipes.js';

test('each recipe has a digest of its own, whatever its name', (t) => {
  t.is(new Set(recipes.map(digestRecipe)).size, recipes.length);
  for (const recipe of recipes)
    t.is(digestRecipe({ ...recipe, name: 'other' }), digestRecipe(recipe));
});

test('a digest follows the settings, the network and the beginning', (t) => {
  const [recipe] = recipes;
  t.truthy(recipe?.beginning);
  if (recipe?.beginning === undefined) return;
  const { beginning, spec } = recipe;
  const others = [
    { ...recipe, spec: { ...spec, epochs: 31 } },
    { ...recipe, spec: { ...spec, network: 'resnet-large' } },
    { ...recipe, beginning: { ...beginning, frameCount: 6001 } },
    { ...recipe, beginning: { ...beginning, spec: { ...beginning.spec, network: 'seed-cnn' } } },
  ];
  t.is(new Set([recipe, ...others].map(digestRecipe)).size, 5);
  t.not(digestBeginning({ ...beginning, frameCount: 6001 }), digestBeginning(beginning));
});
