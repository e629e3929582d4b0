import { type GraphProto, ModelProto, type NodeProto, type TensorProto } from '../gen/onnx/onnx.js';
import type { GraphBuilder } from './graph-builder.js';

/**
 * A graph behind another that feeds it: the input `name` of `graph` becomes what `front` gives
 * as its one output, and the one input of `front` stands in its place. Nothing else is touched;
 * the names of `front` begin with what no name of `graph` does, which is `prefix` where it is free.
 */
export function putInFront(
  graph: GraphProto,
  name: string,
  { front, prefix }: { readonly front: GraphBuilder; readonly prefix: string },
): GraphProto {
  const before = ModelProto.decode(front.toModel()).graph;
  const [fed] = front.outputs;
  if (!before || !fed) throw new Error('bug: a graph was written without an output');
  const renamed = rename(before, freePrefix(graph, prefix), new Map([[fed.name, name]]));
  return {
    ...graph,
    node: [...renamed.node, ...graph.node],
    initializer: [...renamed.initializer, ...graph.initializer],
    input: graph.input.map((each) => (each.name === name ? renamed.input[0]! : each)),
  };
}

/** A beginning of names that nothing in the graph has: `wanted`, or one like it. */
export function freePrefix({ node, initializer, input }: GraphProto, wanted: string): string {
  const names = [
    ...[...initializer, ...input].map(({ name = '' }) => name),
    ...node.flatMap(({ output, name = '' }) => [...output, name]),
  ];
  let prefix = wanted;
  while (names.some((name) => name.startsWith(prefix))) prefix = `_${prefix}`;
  return prefix;
}

function rename(
  graph: GraphProto,
  prefix: string,
  fixed: ReadonlyMap<string, string>,
): Pick<GraphProto, 'node' | 'initializer' | 'input'> {
  const to = (name = '') => fixed.get(name) ?? `${prefix}${name}`;
  return {
    node: graph.node.map(
      (node): NodeProto => ({
        ...{ ...node, name: to(node.name) },
        ...{ input: node.input.map(to), output: node.output.map(to) },
      }),
    ),
    initializer: graph.initializer.map(
      (tensor): TensorProto => ({ ...tensor, name: to(tensor.name) }),
    ),
    input: graph.input.map((port) => ({ ...port, name: to(port.name) })),
  };
}
