import { DomainError } from '../errors.js';
import type { GraphBuilder } from './graph-builder.js';
import type { Application, Attributes, Operator } from './operator.js';
import { startAfter } from './ordering.js';
import type { Value } from './value.js';

/**
 * Records operators as they are applied and writes their gradients backwards.
 *
 * Behaviour: a value used several times gets the sum of its gradients. Nothing is
 * written for values that no wanted value reaches, so the first layer's input costs
 * no gradient.
 */
export interface Tape {
  /** Applies an operator and returns its output. */
  apply(operator: Operator, inputs: readonly Value[], attributes?: Attributes): Value;
  /**
   * Ends a part of the graph whose gradients are to be reckoned in one go: on the way
   * back, what `output` came from begins when the watched values' gradients so far are
   * done.
   */
  seam(output: Value): void;
  /** Writes the gradient of the scalar `loss` with respect to each watched value. */
  gradients(loss: Value): readonly Value[];
}

/**
 * A tape for gradients with respect to the values in `watched`. An operator that is a key of
 * `substitutes` is written as its value.
 */
export function createTape(
  builder: GraphBuilder,
  watched: readonly Value[],
  substitutes: ReadonlyMap<Operator, Operator> = new Map(),
): Tape {
  const recorded: ((Application & { readonly operator: Operator }) | { readonly seam: Value })[] =
    [];
  const watchedNames = new Set(watched.map((value) => value.name));
  const reached = new Set(watchedNames);
  return {
    apply(asked, inputs, attributes = {}) {
      const operator = substitutes.get(asked) ?? asked;
      const result = operator.forward(builder, inputs, attributes);
      const wanted = inputs.map((input) => reached.has(input.name));
      if (wanted.includes(true)) {
        reached.add(result.output.name);
        recorded.push({ ...result, operator, inputs, attributes, wanted });
      }
      return result.output;
    },
    seam(output) {
      recorded.push({ seam: output });
    },
    gradients(loss) {
      const parts = new Map<string, readonly Value[]>([[loss.name, [builder.scalar(1)]]]);
      let sinceSeam: Value[] = [];
      const gradientOf = (value: Value): Value | null => {
        const found = parts.get(value.name);
        if (!found) return null;
        const sum = builder.sum(found);
        parts.set(value.name, [sum]);
        return sum;
      };
      for (const step of recorded.toReversed()) {
        const output = 'seam' in step ? step.seam : step.output;
        const outputGradient = gradientOf(output);
        if (!outputGradient) continue;
        if ('seam' in step) {
          parts.set(output.name, [startAfter(builder, outputGradient, sinceSeam)]);
          sinceSeam = [];
          continue;
        }
        for (const [index, gradient] of step.operator
          .backward(builder, step, outputGradient)
          .entries()) {
          if (!gradient || !step.wanted[index]) continue;
          const { name } = step.inputs[index]!;
          parts.set(name, [...(parts.get(name) ?? []), gradient]);
          if (watchedNames.has(name)) sinceSeam.push(gradient);
        }
      }
      return watched.map((value) => {
        const gradient = gradientOf(value);
        if (gradient) return gradient;
        throw new DomainError('internal', `bug: the loss does not depend on ${value.name}`);
      });
    },
  };
}
