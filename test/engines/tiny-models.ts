import {
  AttributeProto,
  AttributeProto_AttributeType,
  ModelProto,
  NodeProto,
  TensorProto,
  TensorProto_DataType,
  ValueInfoProto,
} from '../../src/gen/onnx/onnx.js';

export interface TinyModelOptions {
  readonly channels?: number;
  readonly sizePx?: number;
  readonly inputType?: 'uint8' | 'float32';
  /** 'N' for any batch. */
  readonly batch?: 'N' | number;
  /** Ends without the sigmoid, so that no output is a probability. */
  readonly isRaw?: boolean;
  /** Added to every mean before the sigmoid: makes another version of the same model. */
  readonly bias?: number;
  /** Steps of a loop for each level of the brightest pixel: a dark frame is fast, a bright one hangs. */
  readonly stepsPerLevel?: number;
}

/**
 * A model of a few hundred bytes: one probability a channel, the sigmoid of the channel's
 * mean / 255 plus `bias`, in `[N, C]`.
 */
export function tinyModel({
  channels = 4,
  sizePx = 8,
  inputType = 'uint8',
  batch = 'N',
  isRaw = false,
  bias = 0,
  stepsPerLevel = 0,
}: TinyModelOptions = {}): Uint8Array {
  const { FLOAT, UINT8, INT64, BOOL } = TensorProto_DataType;
  const elementType = inputType === 'uint8' ? UINT8 : FLOAT;
  const model = ModelProto.fromPartial({
    irVersion: 9,
    opsetImport: [{ domain: '', version: 19 }],
    graph: {
      name: 'tiny',
      input: [port('pixels', elementType, [batch, channels, sizePx, sizePx])],
      output: [port('probabilities', FLOAT, [batch, channels])],
      initializer: [
        scalar('scale', FLOAT, 1 / 255),
        scalar('bias', FLOAT, bias),
        scalar('zero', FLOAT, 0),
        scalar('steps', FLOAT, stepsPerLevel),
        TensorProto.fromPartial({ name: 'true', dataType: BOOL, int32Data: [1] }),
        TensorProto.fromPartial({ name: 'axes', dataType: INT64, dims: [2], int64Data: [2, 3] }),
      ],
      node: [
        node('Cast', ['pixels'], 'levels', [integer('to', FLOAT)]),
        node('ReduceMax', ['levels'], 'brightest', [integer('keepdims', 0)]),
        node('Mul', ['brightest', 'steps'], 'count'),
        node('Cast', ['count'], 'trips', [integer('to', INT64)]),
        node('Loop', ['trips', 'true', 'scale'], 'looped', [loopBody()]),
        node('Mul', ['looped', 'zero'], 'nothing'),
        node('ReduceMean', ['levels', 'axes'], 'means', [integer('keepdims', 0)]),
        node('Mul', ['means', 'scale'], 'scaled'),
        node('Add', ['scaled', 'bias'], 'biased'),
        node('Add', ['biased', 'nothing'], isRaw ? 'probabilities' : 'logits'),
        ...(isRaw ? [] : [node('Sigmoid', ['logits'], 'probabilities')]),
      ],
    },
  });
  return ModelProto.encode(model).finish();
}

/** What `tinyModel` answers for one frame. */
export function tinyProbabilities(
  pixels: Uint8Array,
  { channels = 4, bias = 0 }: TinyModelOptions = {},
): readonly number[] {
  const area = pixels.length / channels;
  return Array.from({ length: channels }, (_, channel) => {
    const plane = pixels.subarray(channel * area, (channel + 1) * area);
    const mean = plane.reduce((sum, level) => sum + level, 0) / area / 255;
    return 1 / (1 + Math.exp(-(mean + bias)));
  });
}

function loopBody(): AttributeProto {
  const { FLOAT, INT64, BOOL } = TensorProto_DataType;
  return AttributeProto.fromPartial({
    name: 'body',
    type: AttributeProto_AttributeType.GRAPH,
    g: {
      name: 'body',
      input: [port('step', INT64, []), port('go', BOOL, []), port('before', FLOAT, [])],
      output: [port('goOn', BOOL, []), port('after', FLOAT, [])],
      node: [node('Identity', ['go'], 'goOn'), node('Sin', ['before'], 'after')],
    },
  });
}

function node(
  opType: string,
  input: string[],
  output: string,
  attribute: AttributeProto[] = [],
): NodeProto {
  return NodeProto.fromPartial({ opType, name: output, input, output: [output], attribute });
}

function integer(name: string, value: number): AttributeProto {
  return AttributeProto.fromPartial({ name, type: AttributeProto_AttributeType.INT, i: value });
}

function scalar(name: string, dataType: TensorProto_DataType, value: number): TensorProto {
  return TensorProto.fromPartial({ name, dataType, floatData: [value] });
}

function port(
  name: string,
  elemType: TensorProto_DataType,
  shape: readonly (number | string)[],
): ValueInfoProto {
  const dim = shape.map((size) => ({
    value:
      typeof size === 'string'
        ? ({ $case: 'dimParam', value: size } as const)
        : ({ $case: 'dimValue', value: size } as const),
  }));
  return ValueInfoProto.fromPartial({
    name,
    type: { value: { $case: 'tensorType', value: { elemType, shape: { dim } } } },
  });
}
