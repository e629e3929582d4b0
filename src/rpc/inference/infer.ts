import { setMaxListeners } from 'node:events';
import type { Priority } from '../../batching/index.js';
import { assertFinite } from '../../classify/index.js';
import { DomainError } from '../../errors.js';
import type {
  InferParameter,
  ModelInferRequest,
  ModelInferResponse,
} from '../../gen/inference/open_inference_grpc.js';
import type { Metrics } from '../../telemetry/index.js';
import type { UnaryHandler } from '../adapter.js';
import { type Ended, endedEarly, outcomeOf, toAnswer } from '../classify/classify-one.js';
import type { HandleLike, LenderLike, PixelClassifierLike } from '../collaborators.js';
import { outputPorts, parseInferInput, toInferOutput } from './tensors.js';

export interface InferOptions {
  /** Rows of one request, each a frame that waits. */
  readonly maxRows: number;
  /** Whether only processes of this server ask: see `RpcPortOptions`. */
  readonly isInner: boolean;
}

export interface InferCollaborators {
  readonly lender: LenderLike;
  readonly classifier: PixelClassifierLike;
  readonly metrics: Metrics;
}

/**
 * `ModelInfer`: every row of the request becomes a Ticket of its own, so that it shares
 * batches with the frames of all other callers. One row that fails fails the request; the
 * others are then taken out of the queue.
 *
 * Triton's parameters `priority` (1 high, 2 normal, above low; 0 the default) and `timeout`
 * (microseconds from receipt) are honoured; those that only steer another server are passed over.
 * Requests of one connection share its turns in the queue; a batch of a process of this server
 * has its own, and its rows are kept: their streams were bounded where they came in. There they
 * are tried again, too, when the engine went away under them, and not here besides.
 */
export function createInfer(
  options: InferOptions,
  { lender, classifier, metrics }: InferCollaborators,
): UnaryHandler<ModelInferRequest, ModelInferResponse> {
  return async (request, context) => {
    const { receivedAtMs, signal } = context;
    const checkedAtMs = performance.now();
    let handle: HandleLike | null = null;
    let rowCount = 1;
    const count = (ended: Ended) => {
      const answer = toAnswer({ frameId: '', receivedAtMs, checkedAtMs }, ended);
      const model = handle?.manifest;
      if (signal.aborted) metrics.frameCancelled();
      else if (!model) metrics.frameRefused(ended.outcome);
      else {
        const { name, version, drift } = model;
        const distanceThreshold = drift?.threshold;
        metrics.frameAnswered({ name, version, distanceThreshold }, answer);
      }
    };
    try {
      const wish = parseWish(request.parameters, receivedAtMs);
      handle = await lender.acquire(refOf(request.modelName, request.modelVersion));
      const { manifest } = handle;
      const { name, version, inputSpec } = manifest;
      context.note({ model: `${name}@${version}` });
      const ports = outputPorts(manifest);
      const input = parseInferInput(request, inputSpec, { ...options, ports });
      rowCount = input.rows.length;
      signal.throwIfAborted(); // the caller may have left while the version was loaded
      const answered = await classifyAll(input.rows, handle, {
        priority: wish.priority,
        deadlineAtMs: earlier(wish.deadlineAtMs, context.deadlineAtMs),
        signal,
        ...(options.isInner
          ? { streamId: context.id, whenFull: 'keep', isRetriedByCaller: true }
          : { streamId: context.peer }),
      });
      // A process of this server looks at each row itself, and fails that one alone.
      if (!options.isInner) for (const row of answered) assertFinite(row, manifest);
      for (const { probabilities, distance, batchSize, queueMs, runMs } of answered) {
        const timings = { prepareMs: 0, queueMs, runMs };
        const rest = { frameId: '', labelIndices: [], qualityFlags: [], version };
        const prediction = { ...rest, probabilities, distance, batchSize, timings };
        count({ model: null, heldMs: 0, outcome: 'ok', prediction });
      }
      return {
        modelName: name,
        modelVersion: String(version),
        id: request.id,
        parameters: {},
        ...toInferOutput(answered, input),
      };
    } catch (thrown) {
      const error = DomainError.from(thrown);
      const ended = endedEarly(outcomeOf(error.code), error);
      for (let row = 0; row < rowCount; row += 1) count(ended);
      throw error;
    } finally {
      handle?.release();
    }
  };

  /** All rows at once; when one fails the others are called back. */
  async function classifyAll(
    rows: readonly Uint8Array[],
    handle: HandleLike,
    way: Parameters<PixelClassifierLike['classifyPixels']>[2] & { readonly signal: AbortSignal },
  ) {
    const failed = new AbortController();
    const signal = AbortSignal.any([way.signal, failed.signal]);
    setMaxListeners(0, signal); // each row listens
    try {
      return await Promise.all(
        rows.map((row) => classifier.classifyPixels(row, handle, { ...way, signal })),
      );
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  }
}

/** How the registry is asked for a version; an empty one stands for the live version. */
export function refOf(name: string, version: string): string {
  return version === '' ? name : `${name}@${version}`;
}

function parseWish(
  parameters: Readonly<Record<string, InferParameter>>,
  receivedAtMs: number,
): { readonly priority: Priority; readonly deadlineAtMs: number | undefined } {
  const timeoutUs = numberOf('timeout', parameters);
  const level = numberOf('priority', parameters);
  return {
    priority: level === 1 ? 'high' : level > 2 ? 'low' : 'normal',
    deadlineAtMs: timeoutUs > 0 ? receivedAtMs + timeoutUs / 1000 : undefined,
  };
}

function numberOf(name: string, parameters: Readonly<Record<string, InferParameter>>): number {
  const given = parameters[name]?.parameterChoice?.value ?? 0;
  if (typeof given === 'number' && given >= 0) return given;
  throw new DomainError('option_invalid', `${name}: expected 0 or more, got ${given}`);
}

function earlier(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.min(one, other);
}
