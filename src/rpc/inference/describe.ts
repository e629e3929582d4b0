import {
  DataType,
  type ModelConfig,
  type RepositoryIndexResponse_ModelIndex as ModelIndex,
  type ModelMetadataResponse,
} from '../../gen/inference/open_inference_grpc.js';
import type { ModelDescription } from '../wire/model.js';
import { inputName, outputName, rowShape } from './tensors.js';

/** What Triton calls a model in ONNX. */
const platform = 'onnxruntime_onnx';
const backend = 'onnxruntime';

/** A version as `ModelMetadata` tells it; `versions` are all that its name has. */
export function toModelMetadata(
  { name, inputSpec, labels }: ModelDescription,
  versions: readonly number[],
): ModelMetadataResponse {
  return {
    name,
    versions: versions.map(String),
    platform,
    inputs: [{ name: inputName, datatype: 'UINT8', shape: [-1, ...rowShape(inputSpec)] }],
    outputs: [{ name: outputName, datatype: 'FP32', shape: [-1, labels.length] }],
  };
}

/** A version as Triton's `ModelConfig` tells it, without what it leaves open. */
export function toModelConfig(
  { name, inputSpec, labels }: ModelDescription,
  { maxRows }: { readonly maxRows: number },
): ModelConfig {
  return {
    name,
    platform,
    backend,
    maxBatchSize: maxRows,
    input: [{ name: inputName, dataType: DataType.TYPE_UINT8, dims: [...rowShape(inputSpec)] }],
    output: [{ name: outputName, dataType: DataType.TYPE_FP32, dims: [labels.length] }],
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
