import { DomainError } from '../../errors.js';
import type { ClassifyRequest } from '../../gen/cytostream/v1/classifier.js';
import type { Received } from '../received.js';
import {
  defaultStreamOptions,
  parseStreamOptions,
  type StreamOptions,
} from '../wire/prediction.js';

/** What the first message of a stream asks for. */
export interface Opening {
  readonly options: StreamOptions;
  /** The first message, where it is a frame already. */
  readonly frame: Received<ClassifyRequest> | null;
  /** Frames without an answer that the stream may have. */
  readonly maxInFlight: number;
}

/** `latestOnly` without a number: two frames keep the model busy, one fresh frame waits. */
const latestOnlyInFlight = 3;

/** Reads the first message. Throws `option_invalid` with every fault. */
export function readOpening(first: Received<ClassifyRequest>, serverLimit: number): Opening {
  if (!('value' in first)) throw new DomainError('option_invalid', first.fault);
  const { message } = first.value;
  if (message === undefined) {
    throw new DomainError('option_invalid', 'expected options or a frame, got an empty message');
  }
  if (message.$case === 'frame') {
    return { options: defaultStreamOptions, frame: first, maxInFlight: serverLimit };
  }
  const parsed = parseStreamOptions(message.value);
  if ('faults' in parsed) throw new DomainError('option_invalid', parsed.faults.join('; '));
  const { maxInFlight, overflow } = parsed.value;
  const wanted =
    maxInFlight > 0 ? maxInFlight : overflow === 'latestOnly' ? latestOnlyInFlight : serverLimit;
  return { options: parsed.value, frame: null, maxInFlight: Math.min(wanted, serverLimit) };
}
