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

/** Rows as a request brought them. */
export interface InferInput {
  /** uint8 `[C, H, W]` each; views of the message where it came as raw bytes. */
  readonly rows: readonly Uint8Array[];
  /** Whether the answer is asked for as raw bytes too. */
  readonly isRaw: boolean;
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
  { maxRows }: { readonly maxRows: number },
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
  for (const output of wire.outputs) {
    if (output.name !== outputName) {
      faults.push(`outputs: expected "${outputName}", got "${output.name}"`);
    }
  }
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
  return { rows, isRaw };
}

/** The probabilities of all rows as one tensor FP32 `[N, labels]`, raw if the input was. */
export function toInferOutput(
  rows: readonly Float32Array[],
  isRaw: boolean,
): Pick<ModelInferResponse, 'outputs' | 'rawOutputContents'> {
  const labelCount = rows[0]?.length ?? 0;
  const values = new Float32Array(rows.length * labelCount);
  for (const [index, row] of rows.entries()) values.set(row, index * labelCount);
  const shape = [rows.length, labelCount];
  const output = { name: outputName, datatype: 'FP32', shape, parameters: {} };
  // Every machine that Node runs on is little-endian, as the protocol asks.
  if (isRaw) {
    const rawOutputContents = [Buffer.from(values.buffer)];
    return { outputs: [{ ...output, contents: undefined }], rawOutputContents };
  }
  const contents = InferTensorContents.fromPartial({ fp32Contents: [...values] });
  return { outputs: [{ ...output, contents }], rawOutputContents: [] };
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
