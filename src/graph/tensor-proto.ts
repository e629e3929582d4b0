import { TensorProto, TensorProto_DataLocation, TensorProto_DataType } from '../gen/onnx/onnx.js';
import type { ElementType } from './value.js';

const dataTypes: Readonly<Record<ElementType, TensorProto_DataType>> = {
  float16: TensorProto_DataType.FLOAT16,
  float32: TensorProto_DataType.FLOAT,
  float64: TensorProto_DataType.DOUBLE,
  uint8: TensorProto_DataType.UINT8,
  uint16: TensorProto_DataType.UINT16,
  int32: TensorProto_DataType.INT32,
  int64: TensorProto_DataType.INT64,
  bool: TensorProto_DataType.BOOL,
};

/** The number that ONNX gives an element type. */
export const dataTypeOf = (type: ElementType): TensorProto_DataType => dataTypes[type];

/** A constant: values in row-major order, one a element of `shape`. */
export type ConstantTensor =
  | { readonly type: 'float32'; readonly shape: readonly number[]; readonly values: Float32Array }
  | { readonly type: 'float64'; readonly shape: readonly number[]; readonly values: Float64Array }
  | { readonly type: 'uint8'; readonly shape: readonly number[]; readonly values: Uint8Array }
  | { readonly type: 'int32'; readonly shape: readonly number[]; readonly values: Int32Array }
  | { readonly type: 'int64'; readonly shape: readonly number[]; readonly values: BigInt64Array };

/**
 * A TensorProto whose bytes are a view of `values`, not a copy.
 *
 * `raw_data` is little-endian by the ONNX specification, as is every machine that
 * Node.js and ONNX Runtime are built for.
 */
export function toTensorProto(name: string, tensor: ConstantTensor): TensorProto {
  const { buffer, byteOffset, byteLength } = tensor.values;
  return TensorProto.fromPartial({
    name,
    dims: [...tensor.shape],
    dataType: dataTypeOf(tensor.type),
    rawData: new Uint8Array(buffer, byteOffset, byteLength),
  });
}

/** Where the bytes of a tensor lie outside its model. */
export interface StoredPlace {
  readonly fileName: string;
  readonly offset: number;
  readonly byteLength: number;
}

/** A float32 TensorProto without bytes: the runtime takes them from the place. */
export function toStoredTensorProto(
  name: string,
  shape: readonly number[],
  { fileName, offset, byteLength }: StoredPlace,
): TensorProto {
  return TensorProto.fromPartial({
    name,
    dims: [...shape],
    dataType: TensorProto_DataType.FLOAT,
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: [
      { key: 'location', value: fileName },
      { key: 'offset', value: String(offset) },
      { key: 'length', value: String(byteLength) },
    ],
  });
}
