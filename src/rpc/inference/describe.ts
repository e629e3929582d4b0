import {
  DataType,
  type ModelConfig,
  type RepositoryIndexResponse_ModelIndex as ModelIndex,
  type ModelMetadataResponse,
} from '../../gen/inference/open_inference_grpc.js';
import type { ModelDescription } from '../wire/model.js';
import { inputName, outputPorts, rowShape } from './tensors.js';

/** What Triton calls a model in ONNX. */
const platform = 'onnxruntime_onnx';
const backend = 'onnxruntime';

/**
 * A version as `ModelMetadata` tells it; `versions` are all that its name has. Beside what
 * the protocol has, where it is loaded: the device that runs it and the precision, which
 * says how far its golden frame may lie from the record.
 */
export function toModelMetadata(
  model: ModelDescription,
  versions: readonly number[],
): ModelMetadataResponse {
  const { name, inputSpec, device, precision } = model;
  const text = (value: string) => ({ parameterChoice: { $case: 'stringParam', value } as const });
  return {
    name,
    versions: versions.map(String),
    platform,
    inputs: [{ name: inputName, datatype: 'UINT8', shape: [-1, ...rowShape(inputSpec)] }],
    outputs: outputPorts(model).map((port) => ({
      name: port.name,
      datatype: 'FP32',
      shape: [-1, ...port.row],
    })),
    parameters: device === '' ? {} : { device: text(device), precision: text(precision) },
  };
}

/** A version as Triton's `ModelConfig` tells it, without what it leaves open. */
export function toModelConfig(
  model: ModelDescription,
  { maxRows }: { readonly maxRows: number },
): ModelConfig {
  const { name, inputSpec } = model;
  return {
    name,
    platform,
    backend,
    maxBatchSize: maxRows,
    input: [{ name: inputName, dataType: DataType.TYPE_UINT8, dims: [...rowShape(inputSpec)] }],
    // Without the batch nothing would be left of one number a row; Triton writes 1 there.
    output: outputPorts(model).map((port) => ({
      name: port.name,
      dataType: DataType.TYPE_FP32,
      dims: port.row.length > 0 ? [...port.row] : [1],
    })),
  };
}

/** What `RepositoryIndex` calls the states of a version. */
const stateNames: Readonly<Record<ModelDescription['state'], string>> = {
  stored: 'UNAVAILABLE',
  loading: 'LOADING',
  warming: 'LOADING',
  ready: 'READY',
  draining: 'UNLOADING',
  gone: 'UNAVAILABLE',
  failed: 'UNAVAILABLE',
};

/** A version as `RepositoryIndex` lists it. */
export function toModelIndex({ name, version, state, failure }: ModelDescription): ModelIndex {
  const reason = state === 'stored' ? 'it is loaded when it is asked for' : failure;
  return { name, version: String(version), state: stateNames[state], reason };
}
