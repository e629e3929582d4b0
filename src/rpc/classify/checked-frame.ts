import { DomainError } from '../../errors.js';
import type { ClassifyRequest } from '../../gen/cytostream/v1/classifier.js';
import type { Received } from '../received.js';
import { cutFrameId, type FrameRequest, parseFrame } from '../wire/frame.js';
import type { Arrival } from './classify-one.js';

/** A message after the opening: a frame, or what is wrong with it. */
export type CheckedFrame =
  | { readonly arrival: Arrival; readonly request: FrameRequest }
  | { readonly arrival: Arrival; readonly faults: readonly string[] };

/** Reads one frame message. Throws `option_invalid` for options, which come too late here. */
export function checkFrame(message: Received<ClassifyRequest>): CheckedFrame {
  const arrivalOf = (frameId: string): Arrival => ({
    // An id that is too long comes back cut: it must not make the answer large.
    frameId: cutFrameId(frameId),
    receivedAtMs: message.atMs,
    checkedAtMs: performance.now(),
  });
  if (!('value' in message)) return { arrival: arrivalOf(''), faults: [message.fault] };
  const content = message.value.message;
  if (content?.$case === 'options') {
    throw new DomainError('option_invalid', 'expected options only as the first message');
  }
  if (content === undefined) {
    return { arrival: arrivalOf(''), faults: ['expected a frame, got an empty message'] };
  }
  const parsed = parseFrame(content.value);
  const arrival = arrivalOf(content.value.frameId);
  if ('faults' in parsed) return { arrival, faults: parsed.faults };
  return { arrival, request: parsed.value };
}
