import { DomainError } from '../errors.js';
import { frozenParameters } from './frozen.js';
import { createGraphBuilder, type GraphBuilder, type GraphPort } from './graph-builder.js';
import { applyLayer, layerShape } from './layers.js';
import { createLossWriter, type Loss, type LossWriter } from './loss.js';
import type { Layer, Network } from './network.js';
import { planNetwork } from './network-plan.js';
import type { Operator } from './operator.js';
import { operators } from './operators/index.js';
import { startAfter } from './ordering.js';
import { type Lack, substitutesFor } from './substitutes.js';
import { createTape, type Tape } from './tape.js';
import { averageEnding, learntInput, type UpdateOptions, writeUpdate } from './update.js';
import { boundShape, type Shape, type Value } from './value.js';

/** How a training step is built. */
export interface TrainingStepOptions extends UpdateOptions {
  /** Frames a step; a smaller last batch is filled up with frames of weight 0. */
  readonly batchSize: number;
  /**
   * Frames that go through the convolutions together, so that what they leave stays
   * in the processor's caches until the gradient reads it. The result is that of the
   * whole batch but for the order in which floats are added.
   * @default 4
   */
  readonly framesAtOnce?: number;
  /**
   * Frames that go forward and back before the next begin: it bounds the memory of a
   * large batch.
   * @default 32
   */
  readonly framesPerPass?: number;
  /** @default binary cross-entropy */
  readonly loss?: Loss;
  /** Layers that stay as they are, as `frozenParameters` reads them. @default none */
  readonly frozenLayers?: readonly string[];
  /** What the device that runs it lacks: other operators are written for it. @default none */
  readonly lacks?: readonly Lack[];
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
 * name and, where it is learnt, its Adam slots `<name>/m` and `<name>/v` and, where one
 * is kept, its average `<name>/ema`.
 *
 * Outputs: `loss`, the mean over labels and weighted frames; `probabilities`
 * `[N, L]`, before the update and with dropout; `next/<name>` for each parameter that is
 * learnt, its slots and its average, since ONNX gives a name to one value only.
 */
export interface TrainingStep {
  readonly model: Uint8Array;
  readonly batchSize: number;
  readonly inputs: readonly GraphPort[];
  readonly outputs: readonly GraphPort[];
  /** Names of the parameters, in the order of the layers. */
  readonly parameterNames: readonly string[];
  /** What a step changes: `next/<name>` of one step is `<name>` of the one after. */
  readonly stateNames: readonly string[];
  /** Which of `stateNames` is served for a parameter: its average, where one is kept. */
  readonly servedNames: ReadonlyMap<string, string>;
  readonly masks: readonly MaskSpec[];
}

/**
 * Builds forward pass, gradients and update of a network as one graph. Nothing is written
 * for the gradients of frozen layers, nor for those of layers before the first learnt one.
 *
 * Throws `option_invalid` for a batch size that is not a whole number above zero, a
 * network whose layers do not fit together, or frozen layers that it does not have.
 */
export function buildTrainingStep(network: Network, options: TrainingStepOptions): TrainingStep {
  const { batchSize, framesAtOnce = 4, framesPerPass = 32, withGradients = false } = options;
  assertCount('a batch size', batchSize);
  assertCount('frames at once', framesAtOnce);
  assertCount('frames per pass', framesPerPass);
  const plan = planNetwork(network);
  const lacks = options.lacks ?? [];
  const builder = createGraphBuilder(`${network.name}/training-step`, {
    hasSum: !lacks.includes('sum'),
  });

  const pixels = builder.input('pixels', 'uint8', [batchSize, ...network.inputShape]);
  const targets = builder.input('targets', 'float32', [batchSize, plan.labelCount]);
  const weights = builder.input('frameWeights', 'float32', [batchSize]);
  const learningRate = builder.input('learningRate', 'float32', []);
  const step = builder.input('step', 'int64', []);
  const frozen = frozenParameters(network, options.frozenLayers ?? []);
  const learnt = plan.parameters
    .filter(({ name }) => !frozen.has(name))
    .map((parameter) => learntInput(builder, parameter, options));
  const given = plan.parameters
    .filter(({ name }) => frozen.has(name))
    .map(({ name, shape }) => builder.input(name, 'float32', shape));
  const watched = learnt.map(({ value }) => value);

  const weightSum = builder.node('ReduceSum', [weights], ['float32', []], { keepdims: 0 });
  const shares = builder.node('Div', [weights, weightSum], ['float32', weights.shape]);
  const maskInputs = planMasks(network, batchSize).map((spec) => ({
    spec,
    value: builder.input(spec.name, 'uint8', spec.shape),
  }));

  const writeLoss = createLossWriter(builder, options.loss ?? { kind: 'bce' }, plan.labelCount);
  const passSizes = splitEvenly(batchSize, framesPerPass);
  const ofPasses = (value: Value) => splitFrames(builder, value, passSizes);
  const [pixelParts, targetParts, shareParts] = [pixels, targets, shares].map(ofPasses);
  const maskParts = maskInputs.map(({ value }) => ofPasses(value));
  const passes: Pass[] = [];
  for (const index of passSizes.keys()) {
    passes.push(
      writePass({
        network,
        builder,
        pixels: pixelParts![index]!,
        targets: targetParts![index]!,
        shares: shareParts![index]!,
        masks: maskParts.map((parts) => parts[index]!),
        parameters: [...watched, ...given],
        watched,
        writeLoss,
        framesAtOnce,
        substitutes: substitutesFor(lacks),
        before: passes.at(-1)?.gradients ?? [],
      }),
    );
  }
  const losses = passes.map(({ loss }) => loss);
  builder.output('loss', builder.sum(losses));
  const logits = joinFrames(
    builder,
    passes.map((pass) => pass.logits),
  );
  const probabilities = builder.node('Sigmoid', [logits], ['float32', logits.shape]);
  builder.output('probabilities', probabilities);
  const gradients = learnt.map(({ value }, index) => {
    const parts = passes.map((pass) => pass.gradients[index]!);
    const gradient = builder.sum(parts);
    if (withGradients) builder.output(`gradient/${value.name}`, gradient);
    return gradient;
  });
  const changes = writeUpdate(builder, { learnt, gradients, learningRate, step }, options);
  for (const { before, after } of changes) builder.output(`next/${before.name}`, after);
  const stateNames = changes.map(({ before }) => before.name);
  return {
    model: builder.toModel(),
    batchSize,
    inputs: builder.inputs,
    outputs: builder.outputs,
    parameterNames: plan.parameters.map(({ name }) => name),
    stateNames,
    servedNames: new Map(
      plan.parameters.map(({ name }) => {
        const average = `${name}${averageEnding}`;
        return [name, stateNames.includes(average) ? average : name];
      }),
    ),
    masks: maskInputs.map(({ spec }) => spec),
  };
}

/** What a pass leaves: its part of the loss and of each parameter's gradient. */
interface Pass {
  readonly logits: Value;
  readonly loss: Value;
  readonly gradients: readonly Value[];
}

interface PassInputs {
  readonly network: Network;
  readonly builder: GraphBuilder;
  readonly pixels: Value;
  readonly targets: Value;
  readonly shares: Value;
  /** One of each dropout, in the order of the layers. */
  readonly masks: readonly Value[];
  readonly parameters: readonly Value[];
  /** Those that are learnt. */
  readonly watched: readonly Value[];
  readonly writeLoss: LossWriter;
  readonly framesAtOnce: number;
  readonly substitutes: ReadonlyMap<Operator, Operator>;
  /** What must be there before this pass begins. */
  readonly before: readonly Value[];
}

/** Writes some frames' way forward and back. */
function writePass({ builder, pixels, before, ...rest }: PassInputs): Pass {
  const { targets, shares, watched, writeLoss } = rest;
  const tape = createTape(builder, watched, rest.substitutes);
  const scaled = tape.apply(operators.scalePixels, [pixels]);
  const input = startAfter(builder, scaled, before);
  const logits = applyNetwork(tape, { ...rest, builder, input });
  const loss = writeLoss(tape, { logits, targets, shares });
  return { logits, loss, gradients: tape.gradients(loss) };
}

/**
 * Writes the layers up to the first that leaves no planes once for each group of frames, joins the
 * groups there, and writes the rest for the whole pass: the wide matrices of dense
 * layers are read once a pass.
 */
function applyNetwork(
  tape: Tape,
  {
    network,
    builder,
    input,
    masks,
    parameters,
    framesAtOnce,
  }: Pick<PassInputs, 'network' | 'builder' | 'masks' | 'parameters' | 'framesAtOnce'> & {
    readonly input: Value;
  },
): Value {
  const layers = poolBeforeRelu(network.layers);
  const firstFlatten = layers.findIndex(({ kind }) => flattening.has(kind));
  const apart = layers.slice(0, firstFlatten + 1);
  const together = layers.slice(firstFlatten + 1);
  const byName = new Map(parameters.map((value) => [value.name, value]));
  const apply = (some: readonly Layer[], value: Value, someMasks: readonly Value[]): Value => {
    const nextMask = someMasks.values();
    const parameter = (name: string): Value => byName.get(name)!;
    const mask = (): Value => nextMask.next().value!;
    return some.reduce((at, layer) => applyLayer(layer, at, { tape, parameter, mask }), value);
  };
  const masksApart = masks.slice(0, apart.filter(({ kind }) => kind === 'dropout').length);
  const sizes = splitEvenly(boundShape(input.shape)[0]!, framesAtOnce);
  const maskParts = masksApart.map((mask) => splitFrames(builder, mask, sizes));
  const groups = splitFrames(builder, input, sizes).map((group, index) => {
    const output = apply(
      apart,
      group,
      maskParts.map((parts) => parts[index]!),
    );
    tape.seam(output);
    return output;
  });
  const joined = groups.length === 1 ? groups[0]! : tape.apply(operators.concatenate, groups);
  return apply(together, joined, masks.slice(masksApart.length));
}

/** The layers that make rows of planes. */
const flattening: ReadonlySet<Layer['kind']> = new Set(['flatten', 'globalAveragePool', 'stages']);

/** The masks of a network's dropouts, in the order of the layers. */
function planMasks(network: Network, batchSize: number): readonly MaskSpec[] {
  const masks: MaskSpec[] = [];
  let shape: Shape = [batchSize, ...network.inputShape];
  for (const layer of network.layers) {
    if (layer.kind === 'dropout') {
      const name = `dropout${masks.length + 1}/mask`;
      masks.push({ name, shape: boundShape(shape), rate: layer.rate });
    }
    shape = layerShape(layer, shape);
  }
  return masks;
}

const joinFrames = (builder: GraphBuilder, parts: readonly Value[]): Value =>
  operators.concatenate.forward(builder, parts, {}).output;

function splitFrames(
  builder: GraphBuilder,
  value: Value,
  sizes: readonly number[],
): readonly Value[] {
  if (sizes.length === 1) return [value];
  const parts = sizes.map((size) => [value.type, [size, ...value.shape.slice(1)]] as const);
  return builder.nodes('Split', [value, builder.integers(...sizes)], parts, { axis: 0 });
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
