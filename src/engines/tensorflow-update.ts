import type { Tensor } from '@tensorflow/tfjs';
import type { UpdateOptions } from '../graph/index.js';
import type { Tensorflow } from './tensorflow-runtime.js';

/** An input of the step by its name. */
export type Inputs = (name: string) => Tensor;

/**
 * The next weights, slots and averages by the formulas of `src/graph/optimisers/`, where
 * their sources are: `next/conv1/kernel`, `next/conv1/kernel/m` and so on.
 */
export function updateWeights(
  tf: Tensorflow,
  {
    names,
    gradients,
    given,
  }: {
    readonly names: readonly string[];
    readonly gradients: readonly Tensor[];
    readonly given: Inputs;
  },
  { adam = {}, weightDecay = 0, clipNorm = 0, emaDecay = 0 }: UpdateOptions,
): Readonly<Record<string, Tensor>> {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 } = adam;
  const step = Number(given('step').dataSync()[0]);
  const learningRate = Number(given('learningRate').dataSync()[0]);
  const rate = (learningRate * Math.sqrt(1 - beta2 ** step)) / (1 - beta1 ** step);
  const averageShare = 1 - Math.min((step + 1) / (step + 10), emaDecay);
  const bounded = clipNorm > 0 ? clip(tf, gradients, clipNorm) : gradients;
  const towards = (from: Tensor, target: Tensor, share: number): Tensor =>
    from.add(target.sub(from).mul(share));

  const next: Record<string, Tensor> = {};
  for (const [index, name] of names.entries()) {
    const gradient = bounded[index] as Tensor; // one a name
    const weight = given(name);
    const shrinks = weightDecay > 0 && weight.rank > 1;
    const before = shrinks ? weight.mul(1 - learningRate * weightDecay) : weight;
    const m = towards(given(`${name}/m`), gradient, 1 - beta1);
    const v = towards(given(`${name}/v`), gradient.square(), 1 - beta2);
    const after = before.sub(m.mul(rate).div(v.sqrt().add(epsilon)));
    next[`next/${name}`] = after;
    next[`next/${name}/m`] = m;
    next[`next/${name}/v`] = v;
    if (emaDecay > 0) {
      next[`next/${name}/ema`] = towards(given(`${name}/ema`), after, averageShare);
    }
  }
  return next;
}

function clip(tf: Tensorflow, gradients: readonly Tensor[], norm: number): readonly Tensor[] {
  const length = tf.addN(gradients.map((gradient) => gradient.square().sum())).sqrt();
  const factor = tf.scalar(norm).div(length.add(1e-6)).minimum(1);
  return gradients.map((gradient) => gradient.mul(factor));
}
