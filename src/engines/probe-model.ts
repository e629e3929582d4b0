import {
  AttributeProto,
  AttributeProto_AttributeType,
  ModelProto,
  TensorProto,
  TensorProto_DataType,
} from '../gen/onnx/onnx.js';

/** uint8 `[1, 8]`. */
export const probePixels = Uint8Array.from([0, 1, 2, 3, 100, 200, 254, 255]);
/** How far a device may lie from the exact answer: the golden frames' own tolerance. */
export const probeTolerance = 1e-4;

/**
 * The smallest graph that shows that a device computes: the sigmoid of each pixel, which goes
 * through a convolution that changes nothing, because that is another library than the rest.
 */
export function buildProbeModel(): Uint8Array {
  const { FLOAT, INT64, UINT8 } = TensorProto_DataType;
  const node = (opType: string, input: string[], output: string) => ({
    ...{ opType, name: output, input },
    output: [output],
  });
  const constant = (
    name: string,
    dataType: TensorProto_DataType,
    values: Pick<Partial<TensorProto>, 'dims' | 'int64Data' | 'floatData'>,
  ) => TensorProto.fromPartial({ name, dataType, ...values });
  const port = (name: string, elemType: TensorProto_DataType) => {
    const dim = [1, probePixels.length].map(
      (value) => ({ value: { $case: 'dimValue', value } }) as const,
    );
    const tensor = { elemType, shape: { dim } };
    return { name, type: { value: { $case: 'tensorType', value: tensor } as const } };
  };
  const to = AttributeProto.fromPartial({
    name: 'to',
    type: AttributeProto_AttributeType.INT,
    i: FLOAT,
  });
  return ModelProto.encode(
    ModelProto.fromPartial({
      irVersion: 9,
      opsetImport: [{ domain: '', version: 19 }],
      graph: {
        name: 'probe',
        input: [port('pixels', UINT8)],
        output: [port('probabilities', FLOAT)],
        initializer: [
          constant('planes', INT64, { dims: [4], int64Data: [1, 1, 1, -1] }),
          constant('row', INT64, { dims: [2], int64Data: [1, -1] }),
          constant('kernel', FLOAT, { dims: [1, 1, 1, 1], floatData: [1] }),
        ],
        node: [
          { opType: 'Cast', name: 'cast', input: ['pixels'], output: ['levels'], attribute: [to] },
          node('Reshape', ['levels', 'planes'], 'plane'),
          node('Conv', ['plane', 'kernel'], 'same'),
          node('Reshape', ['same', 'row'], 'flat'),
          node('Sigmoid', ['flat'], 'probabilities'),
        ],
      },
    }),
  ).finish();
}

/** Where an answer lies furthest from the exact one; NaN counts as infinitely far. */
export function probeError(answer: ArrayLike<number>): number {
  const away = Array.from(probePixels, (pixel, index) => {
    const error = Math.abs((answer[index] ?? Number.NaN) - 1 / (1 + Math.exp(-pixel)));
    return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
  });
  return Math.max(...away);
}
