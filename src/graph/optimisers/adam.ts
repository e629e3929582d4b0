import type { GraphBuilder } from '../graph-builder.js';
import type { Value } from '../value.js';

/** Adam's constants; the defaults are Keras's. */
export interface AdamOptions {
  /** @default 0.9 */
  readonly beta1?: number;
  /** @default 0.999 */
  readonly beta2?: number;
  /** Added to the root of the uncorrected second moment: "epsilon hat". @default 1e-7 */
  readonly epsilon?: number;
}

/** Writes the updates of parameters, of which Adam keeps first and second moment (`m`, `v`); one for all parameters of a graph. */
export type AdamUpdate = (
  parameter: Value,
  gradient: Value,
  slots: Readonly<Record<'m' | 'v', Value>>,
) => {
  readonly parameter: Value;
  readonly m: Value;
  readonly v: Value;
};

/**
 * Adam as Keras writes it. `learningRate` is a float32 scalar, `step` an int64 scalar
 * that counts from 1:
 *
 *     rate = learningRate · √(1 - β₂ᵗ) / (1 - β₁ᵗ)
 *     m ← m + (g - m)(1 - β₁)
 *     v ← v + (g² - v)(1 - β₂)
 *     θ ← θ - rate · m / (√v + ε)
 *
 * PyTorch adds its ε to √(v / (1 - β₂ᵗ)) instead, which is another step for small v.
 * The corrections are reckoned in float64: 1 - 0.999 has four digits in float32.
 *
 * Source: Kingma and Ba, arXiv 1412.6980, end of section 2 (ε there is our ε).
 */
export function adam(
  builder: GraphBuilder,
  { learningRate, step }: { readonly learningRate: Value; readonly step: Value },
  { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 }: AdamOptions = {},
): AdamUpdate {
  const precise = (type: string, ...inputs: Value[]): Value =>
    builder.node(type, inputs, ['float64', []]);
  const time = builder.node('Cast', [step], ['float64', []], { to: 11 });
  const correction = (beta: number): Value =>
    precise('Sub', builder.preciseScalar(1), precise('Pow', builder.preciseScalar(beta), time));
  const correctionOfBoth = precise('Div', precise('Sqrt', correction(beta2)), correction(beta1));
  const factor = builder.node('Cast', [correctionOfBoth], ['float32', []], { to: 1 });
  const rate = builder.node('Mul', [learningRate, factor], ['float32', []]);

  return (parameter, gradient, { m, v }) => {
    const on = (type: string, ...inputs: Value[]): Value =>
      builder.node(type, inputs, ['float32', parameter.shape]);
    const towards = (slot: Value, target: Value, share: number): Value =>
      on('Add', slot, on('Mul', on('Sub', target, slot), builder.scalar(share)));
    const nextM = towards(m, gradient, 1 - beta1);
    const nextV = towards(v, on('Mul', gradient, gradient), 1 - beta2);
    const spread = on('Add', on('Sqrt', nextV), builder.scalar(epsilon));
    const change = on('Div', on('Mul', nextM, rate), spread);
    return { parameter: on('Sub', parameter, change), m: nextM, v: nextV };
  };
}
