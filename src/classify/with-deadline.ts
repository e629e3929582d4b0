import type { Clock } from '../batching/index.js';
import { DomainError } from '../errors.js';

/** One signal for two reasons to stop. */
export interface Limit {
  readonly signal: AbortSignal | undefined;
  /** Takes back the timer and the listener. */
  forget(): void;
}

/**
 * Joins a caller's signal with a deadline, for what takes a signal only; without a deadline
 * it is the caller's own. Throws `deadline` when it has passed.
 * Not `AbortSignal.any` with `AbortSignal.timeout`: those stay alive until the timer fires,
 * one pair a frame.
 */
export function withDeadline(
  { signal, deadlineAtMs }: { signal?: AbortSignal | undefined; deadlineAtMs?: number | undefined },
  clock: Clock,
): Limit {
  if (deadlineAtMs === undefined) return { signal, forget() {} };
  if (deadlineAtMs <= clock.now()) throw expired();
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal?.reason);
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  const forgetTimer = clock.callAt(deadlineAtMs, () => controller.abort(expired()));
  return {
    signal: controller.signal,
    forget() {
      forgetTimer();
      signal?.removeEventListener('abort', onAbort);
    },
  };
}

function expired(): DomainError {
  return new DomainError('deadline', "the frame's deadline passed before it was answered");
}
