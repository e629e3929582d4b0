import type { BatchedRow } from '../../batching/index.js';
import { DomainError } from '../../errors.js';
import type { InputSpec } from '../../frames/index.js';
import {
  InferTensorContents,
  type ModelInferRequest,
  type ModelInferResponse,
  type ModelInferRequest_InferInputTensor as WireInput,
} from '../../gen/inference/open_inference_grpc.js';

/** What our models call their tensors, as their ONNX graphs do. */
export const inputName = 'pixels';
export const outputName = 'probabilities';
/** Of versions that say how far a frame is from their training set. */
export const distanceName = 'distance';

/** An output as its rows are: name, and shape without the batch. */
export interface OutputPort {
  readonly name: string;
  readonly row: readonly number[];
}

/** The outputs of a version. */
export function outputPorts({
  labels,
  drift,
}: {
  readonly labels: readonly string[];
  readonly drift?: object | null;
}): readonly OutputPort[] {
  const probabilities = { name: outputName, row: [labels.length] };
  return drift ? [probabilities, { name: distanceName, row: [] }] : [probabilities];
}

/** Rows as a request brought them. */
export interface InferInput {
  /** uint8 `[C, H, W]` each; views of the message where it came as raw bytes. */
  readonly rows: readonly Uint8Array[];
  /** Whether the answer is asked for as raw bytes too. */
  readonly isRaw: boolean;
  /** What is asked for, in that order. */
  readonly outputs: readonly OutputPort[];
}

/** How the input of a model is described, without its batch. */
export function rowShape({ channels, heightPx, widthPx }: InputSpec): readonly number[] {
  return [channels.length, heightPx, widthPx];
}

/**
 * Reads the tensor of a request: one input "pixels", UINT8 `[N, C, H, W]`. Throws
 * `frame_invalid` with every fault, and `unsupported` for shared memory and for outputs
 * that are to be classified.
 */
export function parseInferInput(
  wire: ModelInferRequest,
  spec: InputSpec,
  { maxRows, ports }: { readonly maxRows: number; readonly ports: readonly OutputPort[] },
): InferInput {
  const [input] = wire.inputs;
  if (input === undefined || wire.inputs.length > 1) {
    const names = wire.inputs.map(({ name }) => name).join(', ') || 'none';
    throw new DomainError('frame_invalid', `expected one input "${inputName}", got ${names}`);
  }
  assertSupported(wire, input);
  const expected = rowShape(spec);
  const { name, datatype, shape, contents } = input;
  const faults: string[] = [];
  if (name !== inputName) faults.push(`inputs: expected "${inputName}", got "${name}"`);
  if (datatype !== 'UINT8') faults.push(`datatype: expected UINT8, got "${datatype}"`);
  const [rowCount = 0, ...row] = shape;
  if (`${row}` !== `${expected}` || rowCount < 1) {
    faults.push(`shape: expected [N, ${expected.join(', ')}], got [${shape.join(', ')}]`);
  } else if (rowCount > maxRows) {
    faults.push(`shape: expected at most ${maxRows} rows, got ${rowCount}`);
  }
  const outputs = wire.outputs.flatMap((output) => {
    const port = ports.find((each) => each.name === output.name);
    if (port) return [port];
    const names = ports.map((each) => `"${each.name}"`).join(' or ');
    faults.push(`outputs: expected ${names}, got "${output.name}"`);
    return [];
  });
  if (faults.length > 0) throw new DomainError('frame_invalid', faults.join('; '));

  const rowBytes = expected.reduce((product, size) => product * size, 1);
  const isRaw = wire.rawInputContents.length > 0;
  if (isRaw && contents !== undefined) {
    throw new DomainError('frame_invalid', 'expected contents or raw_input_contents, got both');
  }
  const pixels = isRaw ? readRaw(wire.rawInputContents) : toBytes(contents?.uintContents ?? []);
  if (pixels.length !== rowCount * rowBytes) {
    const unit = isRaw ? 'bytes in raw_input_contents' : 'values in uint_contents';
    throw new DomainError(
      'frame_invalid',
      `expected ${rowCount * rowBytes} ${unit} for [${shape.join(', ')}], got ${pixels.length}`,
    );
  }
  const rows = Array.from({ length: rowCount }, (_, index) =>
    pixels.subarray(index * rowBytes, (index + 1) * rowBytes),
  );
  return { rows, isRaw, outputs: outputs.length > 0 ? outputs : ports };
}

/**
 * What all rows gave as tensors FP32 `[N, ...]`, raw if the input was; a distance that an engine
 * did not tell is NaN.
 */
export function toInferOutput(
  rows: readonly BatchedRow[],
  { isRaw, outputs }: Pick<InferInput, 'isRaw' | 'outputs'>,
): Pick<ModelInferResponse, 'outputs' | 'rawOutputContents'> {
  const tensors = outputs.map(({ name, row: rowShape }) => {
    const size = rowShape.reduce((product, length) => product * length, 1);
    const values = new Float32Array(rows.length * size);
    for (const [index, { probabilities, distance = Number.NaN }] of rows.entries()) {
      values.set(name === distanceName ? [distance] : probabilities, index * size);
    }
    const shape = [rows.length, ...rowShape];
    return { tensor: { name, datatype: 'FP32', shape, parameters: {} }, values };
  });
  if (isRaw) {
    return {
      outputs: tensors.map(({ tensor }) => ({ ...tensor, contents: undefined })),
      // Every machine that Node runs on is little-endian, as the protocol asks.
      rawOutputContents: tensors.map(({ values }) => Buffer.from(values.buffer)),
    };
  }
  const contentsOf = (values: Float32Array) =>
    InferTensorContents.fromPartial({ fp32Contents: [...values] });
  return {
    outputs: tensors.map(({ tensor, values }) => ({ ...tensor, contents: contentsOf(values) })),
    rawOutputContents: [],
  };
}

/** Refuses what would be answered wrongly if it were passed over. */
function assertSupported(wire: ModelInferRequest, input: WireInput): void {
  const asked = [input, ...wire.outputs].flatMap(({ parameters }) => Object.keys(parameters));
  if (asked.some((parameter) => parameter.startsWith('shared_memory'))) {
    throw new DomainError('unsupported', 'shared memory is not offered: send the tensor itself');
  }
  if (asked.includes('classification')) {
    throw new DomainError(
      'unsupported',
      'the classification extension is not offered: ask for the probabilities',
    );
  }
}

function readRaw(contents: readonly Uint8Array[]): Uint8Array {
  const [first = new Uint8Array(0)] = contents;
  if (contents.length === 1) return first;
  throw new DomainError(
    'frame_invalid',
    `raw_input_contents: expected one for the input, got ${contents.length}`,
  );
}

function toBytes(values: readonly number[]): Uint8Array {
  const wrong = values.find((value) => value > 255);
  if (wrong === undefined) return Uint8Array.from(values);
  throw new DomainError('frame_invalid', `uint_contents: expected 0 to 255, got ${wrong}`);
}
