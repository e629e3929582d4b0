import { Metadata, type ServiceError, type StatusObject, status } from '@grpc/grpc-js';
import { DomainError, type ErrorCode, errorCodes } from '../errors.js';
import { RetryInfo } from '../gen/google/rpc/error_details.js';
import { Status } from '../gen/google/rpc/status.js';

/** The one place where a code of ours becomes a gRPC status. */
export const statusOf: Readonly<Record<ErrorCode, status>> = Object.freeze({
  frame_invalid: status.INVALID_ARGUMENT,
  option_invalid: status.INVALID_ARGUMENT,
  dataset_invalid: status.INVALID_ARGUMENT,
  model_unknown: status.NOT_FOUND,
  run_unknown: status.NOT_FOUND,
  checkpoint_unknown: status.NOT_FOUND,
  run_exists: status.ALREADY_EXISTS,
  verb_unfit: status.FAILED_PRECONDITION,
  run_state: status.FAILED_PRECONDITION,
  overloaded: status.RESOURCE_EXHAUSTED,
  not_ready: status.UNAVAILABLE,
  model_failed: status.FAILED_PRECONDITION,
  answer_invalid: status.INTERNAL,
  gate_refused: status.FAILED_PRECONDITION,
  draining: status.UNAVAILABLE,
  unsupported: status.UNIMPLEMENTED,
  cancelled: status.CANCELLED,
  deadline: status.DEADLINE_EXCEEDED,
  checkpoint_corrupt: status.DATA_LOSS,
  storage_failed: status.INTERNAL,
  internal: status.INTERNAL,
});

/** Trailer with our own code, which is finer than the status: `model_unknown`. */
export const codeTrailer = 'cytostream-code';
/** Trailer with the id that the server's log line of the call carries. */
export const requestIdTrailer = 'cytostream-request-id';
/**
 * Trailer of `overloaded` and `not_ready`: milliseconds after which a second try makes
 * sense. gRPC libraries with a retry policy read it by themselves (gRFC A6, "pushback").
 */
export const retryTrailer = 'grpc-retry-pushback-ms';
/** Trailer of the same errors: a google.rpc.Status with a google.rpc.RetryInfo. */
export const detailsTrailer = 'grpc-status-details-bin';

/** Where whoever refused does not know better. */
const usualRetryMs: Partial<Record<ErrorCode, number>> = { overloaded: 250, not_ready: 1000 };
/** Sooner costs more than it gains, later a caller should look for itself. */
const [leastRetryMs, mostRetryMs] = [10, 5000];

/** What a caller is told of an error: never the text of an unexpected one. */
export function toStatus(
  error: DomainError,
  requestId: string,
): Pick<StatusObject, 'code' | 'details' | 'metadata'> {
  const metadata = new Metadata();
  metadata.set(codeTrailer, error.code);
  metadata.set(requestIdTrailer, requestId);
  const code = statusOf[error.code];
  const details = error.code === 'internal' ? 'internal error' : error.message;
  const usualMs = usualRetryMs[error.code];
  if (usualMs !== undefined) {
    const wantedMs = Math.ceil(error.retryAfterMs ?? usualMs);
    const retryMs = Math.min(mostRetryMs, Math.max(leastRetryMs, wantedMs));
    metadata.set(retryTrailer, String(retryMs));
    metadata.set(detailsTrailer, encodeRetry({ code, message: details }, retryMs));
  }
  return { code, details, metadata };
}

function encodeRetry(status: { code: number; message: string }, retryMs: number): Buffer {
  const retryDelay = { seconds: Math.floor(retryMs / 1000), nanos: (retryMs % 1000) * 1e6 };
  const value = RetryInfo.encode({ retryDelay }).finish();
  const typeUrl = 'type.googleapis.com/google.rpc.RetryInfo';
  return Buffer.from(Status.encode({ ...status, details: [{ typeUrl, value }] }).finish());
}

/** Turns what a call of a client failed with back into the error that the server had. */
export function fromServiceError(thrown: unknown): DomainError {
  if (!isServiceError(thrown)) return DomainError.from(thrown);
  const told = thrown.metadata?.get(codeTrailer)[0];
  const exact = errorCodes.find((code) => code === told);
  const code = exact ?? codeOfStatus.get(thrown.code) ?? 'internal';
  const retryMs = thrown.metadata?.get(retryTrailer)[0];
  const retryAfterMs = retryMs === undefined ? undefined : Number(retryMs);
  return new DomainError(code, thrown.details, { cause: thrown, retryAfterMs });
}

/** For a status without our trailer: from the transport, or from a proxy on the way. */
const codeOfStatus: ReadonlyMap<status, ErrorCode> = new Map([
  [status.CANCELLED, 'cancelled'],
  [status.DEADLINE_EXCEEDED, 'deadline'],
  [status.INVALID_ARGUMENT, 'option_invalid'],
  [status.RESOURCE_EXHAUSTED, 'overloaded'],
  [status.UNAVAILABLE, 'not_ready'],
  [status.UNIMPLEMENTED, 'unsupported'],
]);

function isServiceError(thrown: unknown): thrown is ServiceError {
  return thrown instanceof Error && 'code' in thrown && 'details' in thrown;
}
