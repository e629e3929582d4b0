import { DomainError } from '../errors.js';
import { type Whitening, writeDescriptor, writeDistance } from './descriptor.js';
import { createGraphBuilder } from './graph-builder.js';
import { findLandmarks } from './landmarks.js';
import { applyLayers, type LayerContext } from './layers.js';
import type { Layer, Network, Parameters } from './network.js';
import { planNetwork } from './network-plan.js';
import { operators } from './operators/index.js';
import { createTape, type Tape } from './tape.js';
import { describeShape, type Shape, type Value } from './value.js';

/** What the graph gives beside probabilities. */
export interface InferenceOptions {
  /** Adds an output `descriptor` float32 `[N, D]`, of `descriptorParts`. @default false */
  readonly withDescriptor?: boolean;
  /** Adds an output `distance` float32 `[N]`. @default none */
  readonly whitening?: Whitening | undefined;
}

/**
 * The graph that is served: `pixels` uint8 `[N, C, H, W]` → `probabilities` float32
 * `[N, labels]`, any N, with the scaling inside and the weights as initializers.
 *
 * Throws `option_invalid` when a weight is missing or has another shape, `unsupported` for
 * a descriptor or a distance of a network without penultimate activations.
 */
export function buildInference(
  network: Network,
  parameters: Parameters,
  { withDescriptor = false, whitening }: InferenceOptions = {},
): Uint8Array {
  const builder = createGraphBuilder(network.name);
  const weights = new Map<string, Value>();
  for (const { name, shape } of planNetwork(network).parameters) {
    const given = parameters.get(name);
    assertWeight(name, shape, given?.shape);
    weights.set(name, builder.initializer(name, { type: 'float32', shape, values: given!.values }));
  }
  // Nothing is watched, so that the tape records nothing.
  const tape = createTape(builder, []);
  const pixels = builder.input('pixels', 'uint8', ['N', ...network.inputShape]);
  const scaled = tape.apply(operators.scalePixels, [pixels]);
  const { layers } = network;
  const isDescribed = withDescriptor || whitening !== undefined;
  // Refuses a network whose last layer does not read one row a frame.
  if (isDescribed) findLandmarks(network);
  const embedding = serveLayers(tape, layers.slice(0, -1), scaled, weights);
  const logits = serveLayers(tape, layers.slice(-1), embedding, weights);
  builder.output('probabilities', builder.node('Sigmoid', [logits], ['float32', logits.shape]));
  if (isDescribed) {
    const descriptor = writeDescriptor(builder, { scaled, embedding });
    if (whitening) builder.output('distance', writeDistance(builder, descriptor, whitening));
    if (withDescriptor) builder.output('descriptor', descriptor);
  }
  return builder.toModel();
}

/** Writes layers as they serve, without dropouts, and returns what the last gives. */
export const serveLayers = (
  tape: Tape,
  layers: readonly Layer[],
  input: Value,
  weights: ReadonlyMap<string, Value>,
): Value => applyLayers(layers, input, servingContext(tape, weights));

/** What layers are given where they serve: no dropouts. */
export const servingContext = (tape: Tape, weights: ReadonlyMap<string, Value>): LayerContext => ({
  tape,
  parameter: (name) => weights.get(name)!,
  mask: () => null,
});

/** Throws `option_invalid` unless a weight is there in the shape that a network wants. */
export function assertWeight(name: string, shape: Shape, given: Shape | undefined): void {
  if (`${given}` === `${shape}`) return;
  const got = given ? describeShape(given) : 'nothing';
  throw new DomainError('option_invalid', `expected ${name} ${describeShape(shape)}, got ${got}`);
}
