import type { GraphBuilder } from './graph-builder.js';
import { findLandmarks } from './landmarks.js';
import type { Network } from './network.js';
import { operators } from './operators/index.js';
import type { Value } from './value.js';

/** A linear map of a frame's descriptor: the length of what it gives is the frame's distance. */
export interface Whitening {
  /** float32 `[D, D]`, row-major: `whitened = descriptor · kernel + bias`. */
  readonly kernel: Float32Array;
  /** float32 `[D]`. */
  readonly bias: Float32Array;
}

/** What a descriptor is made of: so many numbers of its beginning are of the pixels. */
export interface DescriptorParts {
  /** Mean and standard deviation of each channel, 0..1. */
  readonly ofPixels: number;
  /** The penultimate activations. */
  readonly ofEmbedding: number;
}

/** Throws `unsupported` for a network without penultimate activations. */
export function descriptorParts(network: Network): DescriptorParts {
  const { embeddingSize } = findLandmarks(network);
  return { ofPixels: 2 * network.inputShape[0], ofEmbedding: embeddingSize };
}

/**
 * What a frame is compared with the training set by, `[N, D]`: mean and standard deviation
 * of each channel's pixels, then its penultimate activations. The activations alone do not
 * do: noise excites a network so little that it lies among the training's frames.
 */
export function writeDescriptor(
  builder: GraphBuilder,
  { scaled, embedding }: { readonly scaled: Value; readonly embedding: Value },
): Value {
  const [batch, channels] = scaled.shape as [Value['shape'][number], number];
  const spec = ['float32', [batch, channels]] as const;
  const axes = builder.integers(2, 3);
  const mean = builder.node('ReduceMean', [scaled, axes], spec, { keepdims: 0 });
  const squared = builder.node('Mul', [scaled, scaled], ['float32', scaled.shape]);
  const meanSquare = builder.node('ReduceMean', [squared, axes], spec, { keepdims: 0 });
  const squareMean = builder.node('Mul', [mean, mean], spec);
  // Rounding may leave a plane of one value below zero.
  const variance = builder.node(
    'Relu',
    [builder.node('Sub', [meanSquare, squareMean], spec)],
    spec,
  );
  const deviation = builder.node('Sqrt', [variance], spec);
  const size = 2 * channels + Number(embedding.shape[1]);
  return builder.node('Concat', [mean, deviation, embedding], ['float32', [batch, size]], {
    axis: 1,
  });
}

/**
 * The length of the whitened descriptor, `[N]`: with a kernel from an inverse covariance,
 * the Mahalanobis distance.
 */
export function writeDistance(
  builder: GraphBuilder,
  descriptor: Value,
  { kernel, bias }: Whitening,
): Value {
  const [batch, size] = descriptor.shape as [Value['shape'][number], number];
  const weight = (name: string, shape: readonly number[], values: Float32Array) =>
    builder.initializer(`distance/${name}`, { type: 'float32', shape, values });
  const inputs = [descriptor, weight('kernel', [size, size], kernel), weight('bias', [size], bias)];
  const whitened = operators.dense.forward(builder, inputs, {}).output;
  return builder.node('ReduceL2', [whitened, builder.integers(1)], ['float32', [batch]], {
    keepdims: 0,
  });
}
