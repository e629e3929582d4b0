import { DomainError } from '../errors.js';
import { layerShape } from './layers.js';
import type { Network } from './network.js';
import { type Box, stepBox, wholeBox } from './seen-box.js';
import { boundShape, type Shape } from './value.js';

/** The two places of a network that explanations and distances are read from. */
export interface Landmarks {
  /** So many of the first layers end at the last feature map. */
  readonly featureLayerCount: number;
  /** `[channels, height, width]` of the last feature map. */
  readonly featureShape: readonly [channels: number, heightPx: number, widthPx: number];
  /** The part of the frame that the cells of the feature map stand for. */
  readonly featureBox: Box;
  /** So many of the first layers end at the penultimate activations: all but the last. */
  readonly embeddingLayerCount: number;
  /** Penultimate activations of a frame. */
  readonly embeddingSize: number;
}

/**
 * Finds the last feature map (the last value of more than one pixel) and the penultimate
 * activations (what the last layer reads) by the shapes alone, whatever the layers are
 * called.
 *
 * Throws `unsupported` for a network that has no feature map or whose last layer does not
 * read one row a frame.
 */
export function findLandmarks(network: Network): Landmarks {
  const { name, inputShape, layers } = network;
  const shapes: Shape[] = [['N', ...inputShape]];
  for (const layer of layers) shapes.push(layerShape(layer, shapes.at(-1)!));
  const featureLayerCount = shapes.findLastIndex(isMap);
  const embeddingLayerCount = layers.length - 1;
  const embeddingShape = shapes[embeddingLayerCount] ?? [];
  if (featureLayerCount < 1 || embeddingShape.length !== 2) {
    throw new DomainError(
      'unsupported',
      `expected ${name} to have a feature map and then one row a frame before its last layer`,
    );
  }
  const featureBox = shapes
    .slice(1, featureLayerCount + 1)
    .reduce<Box>((box, shape, at) => stepBox(box, sizeOf(shapes[at]!), sizeOf(shape)), wholeBox);
  const [, channels, heightPx, widthPx] = shapes[featureLayerCount]!;
  return {
    featureLayerCount,
    featureShape: boundShape([channels!, heightPx!, widthPx!]) as [number, number, number],
    featureBox,
    embeddingLayerCount,
    embeddingSize: Number(embeddingShape[1]),
  };
}

const isMap = (shape: Shape): boolean =>
  shape.length === 4 && Number(shape[2]) * Number(shape[3]) > 1;

const sizeOf = (shape: Shape) => ({ heightPx: Number(shape[2]), widthPx: Number(shape[3]) });
