import { DomainError } from '../errors.js';
import { createGraphBuilder, type GraphBuilder, type GraphPort } from './graph-builder.js';
import { applyLayer } from './layers.js';
import type { Layer, Network } from './network.js';
import { planNetwork } from './network-plan.js';
import { operators } from './operators/index.js';
import { type AdamOptions, adam } from './optimisers/adam.js';
import { createTape, type Tape } from './tape.js';
import { boundShape, type Shape, type Value } from './value.js';

/** How a training step is built. */
export interface TrainingStepOptions {
  /** Frames a step; a smaller last batch is filled up with frames of weight 0. */
  readonly batchSize: number;
  /**
   * Frames that go through the convolutions together, so that what they leave stays
   * in the processor's caches until the gradient reads it. The result is that of the
   * whole batch but for the order in which floats are added.
   * @default 4
   */
  readonly framesAtOnce?: number;
  readonly adam?: AdamOptions;
  /** Adds outputs `gradient/<parameter>`, for tests. @default false */
  readonly withGradients?: boolean;
}

/** The mask that one dropout layer reads: uint8 0 or 1, 1 with probability `1 - rate`. */
export interface MaskSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly rate: number;
}

/**
 * A training step as an ONNX graph. All shapes are bound.
 *
 * Inputs: `pixels` uint8 `[N, C, H, W]`; `targets` float32 `[N, L]`; `frameWeights`
 * float32 `[N]`, 1 for a frame and 0 for filling; `learningRate` float32 scalar;
 * `step` int64 scalar, counted from 1; a mask for each dropout; each parameter by its
 * name and its Adam slots `<name>/m` and `<name>/v`.
 *
 * Outputs: `loss`, the mean over labels and weighted frames; `probabilities`
 * `[N, L]`, before the update and with dropout; `next/<name>` for each parameter and
 * slot, since ONNX gives a name to one value only.
 */
export interface TrainingStep {
  readonly model: Uint8Array;
  readonly batchSize: number;
  readonly inputs: readonly GraphPort[];
  readonly outputs: readonly GraphPort[];
  /** Names of the parameters, in the order of the layers. */
  readonly parameterNames: readonly string[];
  /** Names of parameters and slots: `next/<name>` of one step is `<name>` of the one after. */
  readonly stateNames: readonly string[];
  readonly masks: readonly MaskSpec[];
}

/**
 * Builds forward pass, gradients and Adam's update of a network as one graph.
 *
 * Throws `option_invalid` for a batch size that is not a whole number above zero, or
 * a network whose layers do not fit together.
 */
export function buildTrainingStep(network: Network, options: TrainingStepOptions): TrainingStep {
  const { batchSize, framesAtOnce = 4, withGradients = false } = options;
  assertCount('a batch size', batchSize);
  assertCount('frames at once', framesAtOnce);
  const plan = planNetwork(network);
  const builder = createGraphBuilder(`${network.name}/training-step`);

  const pixels = builder.input('pixels', 'uint8', [batchSize, ...network.inputShape]);
  const targets = builder.input('targets', 'float32', [batchSize, plan.labelCount]);
  const weights = builder.input('frameWeights', 'float32', [batchSize]);
  const learningRate = builder.input('learningRate', 'float32', []);
  const step = builder.input('step', 'int64', []);
  const parameters = plan.parameters.map(({ name, shape }) => ({
    value: builder.input(name, 'float32', shape),
    m: builder.input(`${name}/m`, 'float32', shape),
    v: builder.input(`${name}/v`, 'float32', shape),
  }));
  const watched = parameters.map(({ value }) => value);

  const tape = createTape(builder, watched);
  const { logits, masks } = applyNetwork({ network, builder, tape, pixels, watched, framesAtOnce });
  const loss = tape.apply(operators.sigmoidCrossEntropy, [logits, targets, weights]);
  const gradients = tape.gradients(loss, watched);

  builder.output('loss', loss);
  const probabilities = builder.node('Sigmoid', [logits], ['float32', logits.shape]);
  builder.output('probabilities', probabilities);
  const update = adam(builder, { learningRate, step }, options.adam);
  const stateNames: string[] = [];
  for (const [index, { value, m, v }] of parameters.entries()) {
    const gradient = gradients[index]!;
    if (withGradients) builder.output(`gradient/${value.name}`, gradient);
    const next = update(value, gradient, { m, v });
    builder.output(`next/${value.name}`, next.parameter);
    builder.output(`next/${m.name}`, next.m);
    builder.output(`next/${v.name}`, next.v);
    stateNames.push(value.name, m.name, v.name);
  }
  return {
    model: builder.toModel(),
    batchSize,
    inputs: builder.inputs,
    outputs: builder.outputs,
    parameterNames: watched.map(({ name }) => name),
    stateNames,
    masks,
  };
}

/**
 * Writes the layers up to the first flatten once for each group of frames, joins the
 * groups there, and writes the rest for the whole batch: the wide matrices of dense
 * layers are read once a step.
 */
function applyNetwork({
  network,
  builder,
  tape,
  pixels,
  watched,
  framesAtOnce,
}: {
  readonly network: Network;
  readonly builder: GraphBuilder;
  readonly tape: Tape;
  readonly pixels: Value;
  readonly watched: readonly Value[];
  readonly framesAtOnce: number;
}): { readonly logits: Value; readonly masks: readonly MaskSpec[] } {
  const layers = poolBeforeRelu(network.layers);
  const firstFlatten = layers.findIndex(({ kind }) => kind === 'flatten');
  const apart = layers.slice(0, firstFlatten + 1);
  const together = layers.slice(firstFlatten + 1);
  const byName = new Map(watched.map((value) => [value.name, value]));
  const parameter = (name: string): Value => byName.get(name)!;
  const masks: MaskSpec[] = [];
  const [batchSize] = boundShape(pixels.shape) as [number];
  const groupSizes = splitEvenly(batchSize, framesAtOnce);
  const split = (value: Value): readonly Value[] =>
    groupSizes.length === 1
      ? [value]
      : builder.nodes(
          'Split',
          [value, builder.integers(...groupSizes)],
          groupSizes.map((size) => [value.type, [size, ...value.shape.slice(1)]] as const),
          { axis: 0 },
        );
  const newMask = (rate: number, shape: readonly number[]): Value => {
    const name = `dropout${masks.length + 1}/mask`;
    masks.push({ name, shape, rate });
    return builder.input(name, 'uint8', shape);
  };

  let groups = split(pixels).map((group) => tape.apply(operators.scalePixels, [group]));
  for (const layer of apart) {
    const masksOfGroups =
      layer.kind === 'dropout'
        ? split(newMask(layer.rate, [batchSize, ...boundShape(groups[0]!.shape).slice(1)]))
        : [];
    groups = groups.map((group, index) =>
      applyLayer(layer, group, { tape, parameter, mask: () => masksOfGroups[index]! }),
    );
  }
  let value = groups.length === 1 ? groups[0]! : tape.apply(operators.concatenate, groups);
  for (const layer of together) {
    const mask = (shape: Shape): Value =>
      newMask(layer.kind === 'dropout' ? layer.rate : 0, boundShape(shape));
    value = applyLayer(layer, value, { tape, parameter, mask });
  }
  return { logits: value, masks };
}

/**
 * Puts a pool before the ReLU that it follows. The largest of the rectified is the
 * rectified largest, so values and gradients stay the same, and the ReLU with its
 * gradient has only the pooled elements left to do.
 */
function poolBeforeRelu(layers: readonly Layer[]): readonly Layer[] {
  const ordered = [...layers];
  for (let at = 1; at < ordered.length; at += 1) {
    const [before, here] = [ordered[at - 1]!, ordered[at]!];
    if (before.kind === 'relu' && here.kind === 'maxPool') ordered.splice(at - 1, 2, here, before);
  }
  return ordered;
}

function splitEvenly(total: number, most: number): readonly number[] {
  const groups = Math.ceil(total / most);
  return Array.from({ length: groups }, (_, index) => {
    const start = Math.floor((index * total) / groups);
    return Math.floor(((index + 1) * total) / groups) - start;
  });
}

function assertCount(what: string, count: number): void {
  if (Number.isSafeInteger(count) && count > 0) return;
  throw new DomainError('option_invalid', `expected ${what} of at least 1, got ${count}`);
}
