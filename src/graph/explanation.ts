import { ModelProto, TensorProto_DataType } from '../gen/onnx/onnx.js';
import { createGraphBuilder } from './graph-builder.js';
import { assertWeight, serveLayers, servingContext } from './inference.js';
import { findLandmarks } from './landmarks.js';
import { applyStages } from './layers.js';
import type { Network } from './network.js';
import { planNetwork } from './network-plan.js';
import { operators } from './operators/index.js';
import { createTape } from './tape.js';
import { boundShape, type Shape, type Value } from './value.js';

/** The served graph whose weights an explanation reads. */
export interface ServedGraph {
  /** As `buildInference` gave it. */
  readonly model: Uint8Array;
  /** The name that the runtime will know its bytes by. */
  readonly fileName: string;
}

/** Labels that one run explains: their gradients go back through the head together. */
export const labelsPerExplanation = 4;

/**
 * The graph that says why: `pixels` uint8 `[1, C, H, W]` and `labels` int64 `[K]`, K being
 * `labelsPerExplanation` → `maps` float32 `[K, h, w]`, `embedding` float32 `[1, E]` and
 * `probabilities` float32 `[1, labels]`.
 *
 * A map is Grad-CAM's: the channels of the last feature map, each weighted with the mean of
 * the label's logit's gradient with respect to it, summed and cut at zero. Its unit is that
 * of the logit for each cell's worth of features; for a network that ends in a global mean
 * it is the class-activation map. What a head reads of earlier stages is no part of it.
 * Source: Selvaraju et al., ICCV 2017, equations 1 and 2.
 *
 * It holds no weights: they are named as ranges of the served graph's file. Throws
 * `option_invalid` where that is not the network's, `unsupported` for a network without
 * feature map.
 */
export function buildExplanation(network: Network, served: ServedGraph): Uint8Array {
  const { stages, readEnds, head, featureStage } = findLandmarks(network);
  const { labelCount, parameters } = planNetwork(network);
  const builder = createGraphBuilder(`${network.name}/explanation`);
  const stored = locateWeights(served.model);
  const weights = new Map<string, Value>();
  for (const { name, shape } of parameters) {
    const found = stored.get(name);
    assertWeight(name, shape, found?.shape);
    const place = { fileName: served.fileName, ...found! };
    weights.set(name, builder.storedInitializer(name, shape, place));
  }
  const pixels = builder.input('pixels', 'uint8', [1, ...network.inputShape]);
  const labels = builder.input('labels', 'int64', [labelsPerExplanation]);

  // Up to the features nothing is watched, so that nothing is written for gradients.
  const forward = createTape(builder, []);
  const scaled = forward.apply(operators.scalePixels, [pixels]);
  const ends = applyStages(stages, scaled, servingContext(forward, weights));
  const embedding = serveLayers(forward, head.slice(0, -1), readEnds(ends, forward), weights);
  const last = serveLayers(forward, head.slice(-1), embedding, weights);
  const probabilities = builder.node('Sigmoid', [last], ['float32', last.shape]);

  // The rest once more, a row a label: each row's gradient is its own label's.
  const toRows = (planes: Value): Value => {
    const shape = [labelsPerExplanation, ...boundShape(planes.shape).slice(1)];
    return builder.node('Expand', [planes, builder.integers(...shape)], ['float32', shape]);
  };
  const features = ends[featureStage]!;
  const rows = toRows(features);
  const tape = createTape(builder, [rows]);
  const after = applyStages(stages.slice(featureStage + 1), rows, servingContext(tape, weights));
  const rowEnds = [...ends.slice(0, featureStage).map(toRows), rows, ...after];
  const logits = serveLayers(tape, head, readEnds(rowEnds, tape), weights);
  const selection = builder.node(
    'OneHot',
    [labels, builder.integers(labelCount), builder.floats(0, 1)],
    ['float32', [labelsPerExplanation, labelCount]],
    { axis: -1 },
  );
  const [gradient] = tape.gradients(tape.apply(operators.selectLabels, [logits, selection]));
  const axes = builder.integers(2, 3);
  const [, channels, heightPx, widthPx] = rows.shape as [number, number, number, number];
  const importance = builder.node(
    'ReduceMean',
    [gradient!, axes],
    ['float32', [labelsPerExplanation, channels, 1, 1]],
    { keepdims: 1 },
  );
  const weighted = builder.node('Mul', [features, importance], ['float32', rows.shape]);
  const mapShape: Shape = [labelsPerExplanation, heightPx, widthPx];
  const evidence = builder.node(
    'ReduceSum',
    [weighted, builder.integers(1)],
    ['float32', mapShape],
    { keepdims: 0 },
  );
  builder.output('probabilities', probabilities);
  builder.output('embedding', embedding);
  builder.output('maps', builder.node('Relu', [evidence], ['float32', mapShape]));
  return builder.toModel();
}

/** Where each float32 weight of an encoded model lies: nothing of it is copied. */
function locateWeights(model: Uint8Array) {
  const { graph } = ModelProto.decode(model);
  const placed = (graph?.initializer ?? []).flatMap(({ name, dims, dataType, rawData }) => {
    // Constants may be written otherwise; weights never are.
    if (dataType !== TensorProto_DataType.FLOAT || rawData?.buffer !== model.buffer) return [];
    const offset = rawData.byteOffset - model.byteOffset;
    return [[name, { shape: dims, offset, byteLength: rawData.byteLength }] as const];
  });
  return new Map(placed);
}
