import { DomainError } from '../errors.js';
import type { Layer } from './network.js';
import type { Attributes, Operator } from './operator.js';
import { operators } from './operators/index.js';
import type { Tape } from './tape.js';
import type { Shape, Value } from './value.js';

/** A parameter of a layer: its full name, its shape, and how it starts. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** Glorot-uniform with Keras's fans, or `start` where there are none. */
  readonly fans: { readonly in: number; readonly out: number } | null;
  /** What every value starts at where there are no fans. @default 0 */
  readonly start?: number;
}

/** What a layer is given when it is written into a graph. */
export interface LayerContext {
  readonly tape: Pick<Tape, 'apply'>;
  parameter(name: string): Value;
  /** The mask of a dropout over `shape`; null in graphs that do not train. */
  mask(shape: Shape): Value | null;
}

/** What a kind of layer is made of. */
interface LayerRule<L> {
  parameters(layer: L, inputShape: Shape): readonly ParameterSpec[];
  shape(layer: L, inputShape: Shape): Shape;
  apply(layer: L, input: Value, context: LayerContext): Value;
}

type LayerOf<K extends Layer['kind']> = Extract<Layer, { readonly kind: K }>;

/** Every kind of layer: a new one is a kind in `network.ts` and a line here. */
const rules: { readonly [K in Layer['kind']]: LayerRule<LayerOf<K>> } = {
  conv: ofOperator(operators.conv2d, {
    parameters({ name, filters, kernelPx }, [, channels]) {
      const area = kernelPx * kernelPx;
      const fans = { in: Number(channels) * area, out: filters * area };
      return kernelAndBias(name, [filters, Number(channels), kernelPx, kernelPx], filters, fans);
    },
    attributes({ kernelPx, isPadded = false }) {
      if (isPadded && kernelPx % 2 === 0) {
        throw new DomainError(
          'option_invalid',
          `expected a padded kernel of odd size, got ${kernelPx} px`,
        );
      }
      return { padPx: isPadded ? (kernelPx - 1) / 2 : 0 };
    },
  }),
  groupNorm: ofOperator(operators.groupNorm, {
    parameters: ({ name, gain = 1 }, [, channels]) => [
      { name: `${name}/gain`, shape: [Number(channels)], fans: null, start: gain },
      { name: `${name}/bias`, shape: [Number(channels)], fans: null },
    ],
    attributes: ({ groups }) => ({ groups }),
  }),
  dense: ofOperator(operators.dense, {
    parameters({ name, units }, [, inputSize]) {
      const fans = { in: Number(inputSize), out: units };
      return kernelAndBias(name, [Number(inputSize), units], units, fans);
    },
  }),
  relu: ofOperator(operators.relu),
  flatten: ofOperator(operators.flatten),
  maxPool: ofOperator(operators.maxPool, { attributes: ({ sizePx }) => ({ sizePx }) }),
  standardise: ofOperator(operators.groupNorm, { attributes: ({ groups }) => ({ groups }) }),
  averagePool: ofOperator(operators.averagePool, { attributes: ({ sizePx }) => ({ sizePx }) }),
  globalAveragePool: ofOperator(operators.globalAveragePool),
  spaceToDepth: ofOperator(operators.spaceToDepth, { attributes: ({ sizePx }) => ({ sizePx }) }),
  residual: {
    parameters: ({ layers, shortcut }, inputShape) => [
      ...parametersAlong(layers, inputShape),
      ...parametersAlong(shortcut, inputShape),
    ],
    shape: ({ layers, shortcut }, inputShape) =>
      operators.add.shape([shapeAfter(layers, inputShape), shapeAfter(shortcut, inputShape)], {}),
    apply({ layers, shortcut }, input, context) {
      const around = applyLayers(layers, input, context);
      return context.tape.apply(operators.add, [around, applyLayers(shortcut, input, context)]);
    },
  },
  stages: {
    parameters: ({ stages }, inputShape) => parametersAlong(stages.flat(), inputShape),
    shape({ stages }, inputShape) {
      const read = stageShapes(stages, inputShape).flatMap((end) => [
        operators.globalAveragePool.shape([end], {}),
        operators.globalMaxPool.shape([end], {}),
      ]);
      return operators.concatenate.shape(read, { axis: 1 });
    },
    apply: ({ stages }, input, context) => readStages(applyStages(stages, input, context), context),
  },
  dropout: {
    parameters: () => [],
    shape: (_layer, shape) => shape,
    apply({ rate }, input, { tape, mask }) {
      const given = mask(input.shape);
      return given ? tape.apply(operators.dropout, [input, given], { rate }) : input;
    },
  },
};

/** The parameters of one layer, given the shape that reaches it. */
export const layerParameters = (layer: Layer, inputShape: Shape): readonly ParameterSpec[] =>
  ruleOf(layer).parameters(layer, inputShape);

/** The shape that leaves a layer. Throws `option_invalid` where the layer does not fit. */
export const layerShape = (layer: Layer, inputShape: Shape): Shape =>
  ruleOf(layer).shape(layer, inputShape);

/** Writes a layer into the graph behind `context` and returns its output. */
export const applyLayer = (layer: Layer, input: Value, context: LayerContext): Value =>
  ruleOf(layer).apply(layer, input, context);

/** Writes layers one behind the other. */
export const applyLayers = (layers: readonly Layer[], input: Value, context: LayerContext): Value =>
  layers.reduce((at, layer) => applyLayer(layer, at, context), input);

/** Writes stages one behind the other and returns what each of them gives. */
export function applyStages(
  stages: readonly (readonly Layer[])[],
  input: Value,
  context: LayerContext,
): readonly Value[] {
  let at = input;
  return stages.map((layers) => {
    at = applyLayers(layers, at, context);
    return at;
  });
}

/** The shapes that `applyStages` gives. */
export const stageShapes = (
  stages: readonly (readonly Layer[])[],
  inputShape: Shape,
): readonly Shape[] =>
  stages.map((_, index) => shapeAfter(stages.slice(0, index + 1).flat(), inputShape));

/** The mean and the largest value of each plane, stage by stage: one row a frame. */
export function readStages(ends: readonly Value[], { tape }: Pick<LayerContext, 'tape'>): Value {
  const read = ends.flatMap((planes) => [
    tape.apply(operators.globalAveragePool, [planes]),
    tape.apply(operators.globalMaxPool, [planes]),
  ]);
  return tape.apply(operators.concatenate, read, { axis: 1 });
}

const shapeAfter = (layers: readonly Layer[], inputShape: Shape): Shape =>
  layers.reduce((shape, layer) => layerShape(layer, shape), inputShape);

function parametersAlong(layers: readonly Layer[], inputShape: Shape): readonly ParameterSpec[] {
  let shape = inputShape;
  return layers.flatMap((layer) => {
    if (layer.kind === 'dropout') {
      throw new DomainError('option_invalid', 'expected no dropout within a residual or stages');
    }
    const parameters = layerParameters(layer, shape);
    shape = layerShape(layer, shape);
    return parameters;
  });
}

function ruleOf(layer: Layer): LayerRule<Layer> {
  if (!Object.hasOwn(rules, layer.kind)) {
    throw new DomainError('option_invalid', `expected a known kind of layer, got ${layer.kind}`);
  }
  // The table is keyed by kind, which TypeScript cannot follow through an index.
  return rules[layer.kind] as unknown as LayerRule<Layer>;
}

/** A layer that is one operator over the input and the layer's parameters. */
function ofOperator<L>(
  operator: Operator,
  {
    parameters = () => [],
    attributes = () => ({}),
  }: {
    readonly parameters?: LayerRule<L>['parameters'];
    readonly attributes?: (layer: L) => Attributes;
  } = {},
): LayerRule<L> {
  return {
    parameters,
    shape(layer, inputShape) {
      const shapes = parameters(layer, inputShape).map((parameter) => parameter.shape);
      return operator.shape([inputShape, ...shapes], attributes(layer));
    },
    apply(layer, input, { tape, parameter }) {
      const values = parameters(layer, input.shape).map(({ name }) => parameter(name));
      return tape.apply(operator, [input, ...values], attributes(layer));
    },
  };
}

const kernelAndBias = (
  name: string,
  kernelShape: readonly number[],
  biasSize: number,
  fans: ParameterSpec['fans'],
): readonly ParameterSpec[] => [
  { name: `${name}/kernel`, shape: kernelShape, fans },
  { name: `${name}/bias`, shape: [biasSize], fans: null },
];
