import type { ServerDuplexStream } from '@grpc/grpc-js';
import { DomainError } from '../../errors.js';
import type { CallContext } from '../calls.js';
import type { LoopBudget } from '../loop-budget.js';
import type { Received } from '../received.js';
import type { Bell } from './bell.js';

/** Pulls the messages of a stream one by one: what is not pulled stays with the sender. */
export interface MessageReader<Request> {
  /**
   * The next message; null after the last. Whoever takes it says so by `taken`. Throws what the call
   * was aborted with.
   */
  next(): Promise<Received<Request> | null>;
  /** After the last message: throws `draining` if a drain ended the reading, not the sender. */
  throwIfCutShort(): void;
}

/**
 * The transport reads ahead, up to 16 messages or 4 MiB. When a drain begins those are still
 * given out, for they are here; then the reading ends.
 */
export function createMessageReader<Request>(
  call: ServerDuplexStream<Received<Request>, never>,
  context: CallContext,
  { bell, budget }: { readonly bell: Bell; readonly budget: LoopBudget },
): MessageReader<Request> {
  let left = Number.POSITIVE_INFINITY;
  let isCutShort = false;
  for (const event of ['readable', 'end', 'close'] as const) call.on(event, bell.ring);
  context.signal.addEventListener('abort', bell.ring, { once: true });
  context.draining.addEventListener('abort', bell.ring, { once: true });
  return {
    async next() {
      for (;;) {
        // Also for what is no message: thousands of streams may end at once.
        const turn = budget.enter();
        if (turn !== null) await turn;
        context.signal.throwIfAborted();
        if (context.draining.aborted && left === Number.POSITIVE_INFINITY) {
          left = call.readableLength;
        }
        const message: Received<Request> | null = left > 0 ? call.read() : null;
        if (message !== null) {
          left -= 1;
          return message;
        }
        if (call.readableEnded) return null;
        if (left <= 0) {
          isCutShort = true;
          return null;
        }
        await bell.heard();
      }
    },
    throwIfCutShort() {
      if (!isCutShort) return;
      throw new DomainError(
        'draining',
        'the server is shutting down: send the frames without an answer to another',
      );
    },
  };
}
