import { DomainError } from '../errors.js';
import {
  InferTensorContents,
  ModelInferRequest,
  type ModelInferResponse,
} from '../gen/inference/open_inference_grpc.js';
import type { RunWish } from './engine.js';

/** The tensors of a model on another server, as it names them. */
export interface RemoteTensors {
  readonly input: string;
  /** Empty: whichever comes first. */
  readonly output: string;
  /** float32 `[N]`; empty: not asked for. */
  readonly distance: string;
}

/** One batch on its way: the message is written when the transport asks for it. */
export interface RemoteBatch {
  /** Everything of the request but the pixels and the wish, encoded. */
  readonly head: Uint8Array;
  /** From `encodeWish`; empty: nothing is said. */
  readonly wish: Uint8Array;
  /** uint8 `[batchSize, C, H, W]`. */
  readonly pixels: Uint8Array;
}

/** Encodes all of a request but its pixels; the same for every batch of a size. */
export function encodeHead(
  model: { readonly name: string; readonly version: string },
  { input, output, distance }: RemoteTensors,
  shape: readonly number[],
): Uint8Array {
  return ModelInferRequest.encode(
    ModelInferRequest.fromPartial({
      modelName: model.name,
      modelVersion: model.version,
      inputs: [{ name: input, datatype: 'UINT8', shape: [...shape] }],
      outputs: [output, distance].filter((name) => name !== '').map((name) => ({ name })),
    }),
  ).finish();
}

/** As this server reads them: Triton's numbers, 0 being the default. */
const levels = { high: 1, normal: 2, low: 3 } as const;

/**
 * How soon a batch is wanted, to be put behind its head: protobuf reads fields in any order.
 * `nowMs` is on the clock of the deadline.
 */
export function encodeWish({ priority, deadlineAtMs }: RunWish, nowMs: number): Uint8Array {
  const level = levels[priority];
  // 0 would mean none.
  const timeoutUs = Math.max(1, Math.round((deadlineAtMs - nowMs) * 1000));
  const parameters = {
    priority: { parameterChoice: { $case: 'uint64Param' as const, value: level } },
    ...(Number.isFinite(timeoutUs) && {
      timeout: { parameterChoice: { $case: 'uint64Param' as const, value: timeoutUs } },
    }),
  };
  return ModelInferRequest.encode(ModelInferRequest.fromPartial({ parameters })).finish();
}

/** Tag of `raw_input_contents`: field 7, length-delimited. */
const rawTag = (7 << 3) | 2;

/**
 * The whole message in one buffer: the pixels are copied here once, and once more by
 * grpc-js, which puts five bytes before every message.
 */
export function encodeBatch({ head, wish, pixels }: RemoteBatch): Buffer {
  const lengthBytes: number[] = [];
  for (let rest = pixels.length; ; rest = Math.floor(rest / 128)) {
    lengthBytes.push(rest < 128 ? rest : (rest % 128) + 128);
    if (rest < 128) break;
  }
  const before = head.length + wish.length;
  const message = Buffer.allocUnsafe(before + 1 + lengthBytes.length + pixels.length);
  message.set(head);
  message.set(wish, head.length);
  message.set([rawTag, ...lengthBytes], before);
  message.set(pixels, message.length - pixels.length);
  return message;
}

/**
 * One output of an answer, float32 of the expected shape, with a buffer of its own; `name` may
 * be empty for the first. Throws `model_failed` for anything else.
 */
export function readOutput(
  response: ModelInferResponse,
  name: string,
  expected: readonly number[],
): Float32Array {
  const index =
    name === '' ? 0 : response.outputs.findIndex((candidate) => candidate.name === name);
  const output = response.outputs[index];
  const wanted = `FP32 [${expected.join(', ')}]`;
  if (output?.datatype !== 'FP32' || `${output.shape}` !== `${expected}`) {
    const got = output ? `${output.datatype} [${output.shape.join(', ')}]` : 'no output';
    throw new DomainError('model_failed', `expected ${wanted} from the model server, got ${got}`);
  }
  const length = expected.reduce((product, size) => product * size, 1);
  const raw = response.rawOutputContents[index];
  const typed = InferTensorContents.fromPartial(output.contents ?? {}).fp32Contents;
  const got = raw ? raw.length / Float32Array.BYTES_PER_ELEMENT : typed.length;
  if (got !== length) {
    throw new DomainError(
      'model_failed',
      `expected ${length} values for ${wanted} from the model server, got ${got}`,
    );
  }
  if (!raw) return Float32Array.from(typed);
  const probabilities = new Float32Array(length);
  // A view of the message need not lie where a float may begin.
  new Uint8Array(probabilities.buffer).set(raw);
  return probabilities;
}
