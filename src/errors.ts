/**
 * Every way an operation of ours may fail. A closed list: `rpc/status.ts` gives
 * each its gRPC status, and a new one belongs in both places.
 */
export const errorCodes = [
  'frame_invalid',
  'option_invalid',
  'dataset_invalid',
  'model_unknown',
  'run_unknown',
  'checkpoint_unknown',
  'run_exists',
  'verb_unfit',
  'run_state',
  'overloaded',
  'not_ready',
  'model_failed',
  'answer_invalid',
  'gate_refused',
  'draining',
  'unsupported',
  'cancelled',
  'deadline',
  'checkpoint_corrupt',
  'storage_failed',
  'internal',
] as const;

/** One of them; `rpc/status.ts` says which gRPC status it becomes. */
export type ErrorCode = (typeof errorCodes)[number];

/**
 * The one error that crosses the borders of rooms.
 *
 * `message` is for the caller: one lower-case sentence that says what was
 * expected and what came, with units; never a path of the server, a stack or a
 * pixel. It is cut at 1024 characters.
 */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly code: ErrorCode;
  /** Milliseconds after which a second try makes sense, where whoever refused knows. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly retryAfterMs?: number | undefined } = {},
  ) {
    const { retryAfterMs, ...rest } = options;
    super(message.length > 1024 ? `${message.slice(0, 1021)}...` : message, rest);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }

  /**
   * The only conversion from what was thrown; idempotent. An abort becomes
   * `cancelled`, a time-out `deadline`; anything unknown becomes `internal` with
   * the thrown value as its cause, for the log and never for the caller.
   */
  static from(thrown: unknown): DomainError {
    if (thrown instanceof DomainError) return thrown;
    if (thrown instanceof Error && thrown.name === 'AbortError') {
      return new DomainError('cancelled', 'the caller left', { cause: thrown });
    }
    if (thrown instanceof Error && thrown.name === 'TimeoutError') {
      return new DomainError('deadline', 'the time is up', { cause: thrown });
    }
    return new DomainError('internal', 'internal error', { cause: thrown });
  }
}
