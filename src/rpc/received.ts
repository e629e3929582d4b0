import type { ServiceDefinition } from '@grpc/grpc-js';
import { hasMoreFields } from './field-count.js';

/**
 * A message as it came: the moment when its last byte was there, on the clock of
 * `performance.now()`, and what it says, or why it cannot be read.
 */
export type Received<Request> = {
  readonly atMs: number;
  readonly byteLength: number;
  /** To be called once when a handler lets the message in: then more may be read. */
  taken?: () => void;
} & ({ readonly value: Request } | { readonly fault: string });

/**
 * The same service, whose deserializers stamp the time and never throw: grpc-js would
 * end a whole stream with INTERNAL for one message that cannot be decoded.
 *
 * `maxFields` bounds what a message may be taken apart into: two bytes are enough for an
 * empty plane, and 64 MiB of them would stop the event loop for seconds. `findExcess` does
 * the same for messages of other shapes: what it says is the fault.
 */
export function stampReceipt(
  service: ServiceDefinition,
  {
    maxFields = Number.POSITIVE_INFINITY,
    findExcess = () => null,
  }: { maxFields?: number; findExcess?: (bytes: Uint8Array) => string | null } = {},
): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(service).map(([name, method]) => [
      name,
      {
        ...method,
        requestDeserialize(bytes: Buffer): Received<unknown> {
          const came = { atMs: performance.now(), byteLength: bytes.length };
          if (hasMoreFields(bytes, maxFields)) {
            return { ...came, fault: `expected at most ${maxFields} fields in a message` };
          }
          const excess = findExcess(bytes);
          if (excess !== null) return { ...came, fault: excess };
          try {
            const { atMs, byteLength } = came;
            return { atMs, byteLength, value: method.requestDeserialize(bytes) };
          } catch {
            const type = `${method.path.split('/')[2]}Request`;
            return {
              ...came,
              fault: `expected a ${type}, got ${bytes.length} bytes of something else`,
            };
          }
        },
      },
    ]),
  );
}
