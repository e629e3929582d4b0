import { DomainError } from '../../errors.js';
import type { Metrics } from '../../telemetry/index.js';
import type { UnaryHandler } from '../adapter.js';
import type { Admission } from './admission.js';

/**
 * The same handler of frames that come in a call of their own, which is refused with `overloaded`
 * where the port has no room for its bytes.
 */
export function admitted<Request, Response>(
  handler: UnaryHandler<Request, Response>,
  { admission, metrics }: { readonly admission: Admission; readonly metrics: Metrics },
): UnaryHandler<Request, Response> {
  return async (request, context) => {
    const leave = admission.tryEnter(context.byteLength);
    if (leave === null) {
      metrics.frameRefused('shed');
      throw new DomainError(
        'overloaded',
        `the frames on their way to an answer are ${admission.bytes} bytes: no room for ${context.byteLength} more`,
        { retryAfterMs: admission.untilRoomMs(context.byteLength) },
      );
    }
    try {
      return await handler(request, context);
    } finally {
      leave();
    }
  };
}
