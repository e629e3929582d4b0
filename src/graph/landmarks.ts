import { DomainError } from '../errors.js';
import { type LayerContext, layerShape, readStages, stageShapes } from './layers.js';
import type { Layer, Network } from './network.js';
import { type Box, stepBox, wholeBox } from './seen-box.js';
import { boundShape, type Shape, type Value } from './value.js';

/** A network in two, planes and rows, and what explanations and distances read of it. */
export interface Landmarks {
  /** The layers that make planes, cut where `readEnds` reads them: once where no layer is `stages`. */
  readonly stages: readonly (readonly Layer[])[];
  /** Makes what each stage ends with into what the head is given. */
  readonly readEnds: (ends: readonly Value[], tape: LayerContext['tape']) => Value;
  /** The layers behind. What reaches the last of them are the penultimate activations. */
  readonly head: readonly Layer[];
  /** The stage that ends with the last feature map, counted from 0. */
  readonly featureStage: number;
  /** `[channels, height, width]` of the last feature map. */
  readonly featureShape: readonly [channels: number, heightPx: number, widthPx: number];
  /** The part of the frame that the cells of the feature map stand for. */
  readonly featureBox: Box;
  /** Penultimate activations of a frame. */
  readonly embeddingSize: number;
}

/**
 * Finds the last feature map (the last value of more than one pixel that the head reads) and
 * the penultimate activations (what the last layer reads) by the shapes alone, whatever the
 * layers are called.
 *
 * Throws `unsupported` for a network that has no feature map or whose last layer does not
 * read one row a frame.
 */
export function findLandmarks(network: Network): Landmarks {
  const { name, inputShape, layers } = network;
  const frameShape: Shape = ['N', ...inputShape];
  const parts = cutAtRows(layers, frameShape);
  const ends = stageShapes(parts.stages, frameShape);
  const featureStage = ends.findLastIndex(isMap);
  const trunk = parts.stages.slice(0, featureStage + 1).flat();
  const embeddingShape = shapesAlong(layers.slice(0, -1), frameShape).at(-1)!;
  if (trunk.length === 0 || embeddingShape.length !== 2) {
    throw new DomainError(
      'unsupported',
      `expected ${name} to have a feature map and then one row a frame before its last layer`,
    );
  }
  const shapes = shapesAlong(trunk, frameShape);
  const featureBox = shapes
    .slice(1)
    .reduce<Box>((box, shape, at) => stepBox(box, sizeOf(shapes[at]!), sizeOf(shape)), wholeBox);
  const [, channels, heightPx, widthPx] = ends[featureStage]!;
  return {
    ...parts,
    featureStage,
    featureShape: boundShape([channels!, heightPx!, widthPx!]) as [number, number, number],
    featureBox,
    embeddingSize: Number(embeddingShape[1]),
  };
}

function cutAtRows(
  layers: readonly Layer[],
  frameShape: Shape,
): Pick<Landmarks, 'stages' | 'readEnds' | 'head'> {
  for (const [at, layer] of layers.entries()) {
    if (layer.kind !== 'stages') continue;
    const [first = [], ...others] = layer.stages;
    return {
      stages: [[...layers.slice(0, at), ...first], ...others],
      readEnds: (ends, tape) => readStages(ends, { tape }),
      head: layers.slice(at + 1),
    };
  }
  const planeLayerCount = Math.max(0, shapesAlong(layers, frameShape).findLastIndex(isMap));
  return {
    stages: [layers.slice(0, planeLayerCount)],
    readEnds: ([planes]) => planes!,
    head: layers.slice(planeLayerCount),
  };
}

/** The shape that reaches each layer, and the one that leaves the last. */
function shapesAlong(layers: readonly Layer[], inputShape: Shape): readonly Shape[] {
  const shapes = [inputShape];
  for (const layer of layers) shapes.push(layerShape(layer, shapes.at(-1)!));
  return shapes;
}

const isMap = (shape: Shape): boolean =>
  shape.length === 4 && Number(shape[2]) * Number(shape[3]) > 1;

const sizeOf = (shape: Shape) => ({ heightPx: Number(shape[2]), widthPx: Number(shape[3]) });
