import type { GraphProto, ValueInfoProto } from '../gen/onnx/onnx.js';

/**
 * What a graph is fed with: files before ONNX's IR version 4 list its constants among the
 * inputs too.
 */
export function graphInputs({ input, initializer }: GraphProto): readonly ValueInfoProto[] {
  const constants = new Set(initializer.map(({ name = '' }) => name));
  return input.filter(({ name = '' }) => !constants.has(name));
}
