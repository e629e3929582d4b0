import { DomainError } from '../errors.js';
import type { GraphBuilder } from './graph-builder.js';
import type { Application, Attributes, Operator } from './operator.js';
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
   * Writes the gradient of the scalar `loss` with respect to each watched value, in
   * the order in which they are given.
   */
  gradients(loss: Value, watched: readonly Value[]): readonly Value[];
}

/** A tape whose gradients are asked for with respect to values in `watched` only. */
export function createTape(builder: GraphBuilder, watched: readonly Value[]): Tape {
  const recorded: (Application & { readonly operator: Operator })[] = [];
  const reached = new Set(watched.map((value) => value.name));
  return {
    apply(operator, inputs, attributes = {}) {
      const result = operator.forward(builder, inputs, attributes);
      const wanted = inputs.map((input) => reached.has(input.name));
      if (wanted.includes(true)) {
        reached.add(result.output.name);
        recorded.push({ ...result, operator, inputs, attributes, wanted });
      }
      return result.output;
    },
    gradients(loss, values) {
      const parts = new Map<string, Value[]>([[loss.name, [builder.scalar(1)]]]);
      const gradientOf = (value: Value): Value | null => {
        const found = parts.get(value.name);
        if (!found) return null;
        const [first, ...more] = found;
        if (more.length === 0) return first!;
        const sum = builder.node('Sum', found, [value.type, value.shape]);
        parts.set(value.name, [sum]);
        return sum;
      };
      for (const { operator, ...application } of recorded.toReversed()) {
        const outputGradient = gradientOf(application.output);
        if (!outputGradient) continue;
        const gradients = operator.backward(builder, application, outputGradient);
        for (const [index, gradient] of gradients.entries()) {
          const name = application.inputs[index]!.name;
          if (gradient && application.wanted[index]) {
            parts.set(name, [...(parts.get(name) ?? []), gradient]);
          }
        }
      }
      return values.map((value) => {
        const gradient = gradientOf(value);
        if (!gradient)
          throw new DomainError('internal', `bug: the loss does not depend on ${value.name}`);
        return gradient;
      });
    },
  };
}
