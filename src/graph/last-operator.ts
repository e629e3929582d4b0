import { DomainError } from '../errors.js';
import type { GraphProto } from '../gen/onnx/onnx.js';

/** Operators that leave logits logits, by their first input. */
const passes: ReadonlySet<string> = new Set([
  ...['Cast', 'Flatten', 'Identity', 'Reshape', 'Squeeze'],
]);
/** Operators whose results may be any number. */
const isUnbounded: ReadonlySet<string> = new Set(['Gemm', 'MatMul', 'Conv']);
/** Operators that bound what they give; squeezing gates within a network have them too. */
const bounds: ReadonlySet<string> = new Set(['Sigmoid', 'HardSigmoid', 'Softmax', 'Clip']);

/**
 * The operator that decides what an output is, behind changes of its shape and type and a bias.
 * Throws `model_failed` for a graph in which that output feeds itself: no runtime has looked at it.
 */
export function lastOperator({ node }: GraphProto, output: string): string {
  const makers = new Map(
    node
      .filter(({ opType }) => opType !== 'Constant')
      .flatMap((each) => each.output.map((name) => [name, each] as const)),
  );
  // What a node leaves out has an empty name, which nobody makes.
  makers.delete('');
  const passed = new Set<string>();
  for (let name = output; ; ) {
    if (passed.has(name)) {
      throw new DomainError('model_failed', `the graph feeds itself at "${name}"`);
    }
    passed.add(name);
    const { opType = '', input = [] } = makers.get(name) ?? {};
    const computed = opType === 'Add' ? input.filter((each) => makers.has(each)) : input;
    const isPassed = passes.has(opType) || (opType === 'Add' && computed.length === 1);
    if (!isPassed) return opType;
    name = computed[0] ?? '';
  }
}

/**
 * Whether a graph that ends in `last` gives logits for sure. Silence means nothing: what it
 * gives is then looked at.
 */
export function givesLogits({ node }: GraphProto, last: string): boolean {
  return isUnbounded.has(last) && !node.some(({ opType = '' }) => bounds.has(opType));
}
