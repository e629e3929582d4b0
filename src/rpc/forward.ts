import {
  Client,
  credentials,
  Metadata,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { DomainError } from '../errors.js';
import { adaptServerStream, adaptUnary } from './adapter.js';
import type { CallContext, Calls } from './calls.js';
import { stampReceipt } from './received.js';
import { fromServiceError } from './status.js';

/** Calls that are handed on as they came, to another process of the same server. */
export interface Forwarding {
  /** The service with its messages left as bytes, and what answers it. */
  service(
    definition: ServiceDefinition,
  ): readonly [ServiceDefinition, UntypedServiceImplementation];
  close(): void;
}

const asIs = (bytes: Buffer) => bytes;
const unlimited = { 'grpc.max_send_message_length': -1, 'grpc.max_receive_message_length': -1 };

/**
 * Hands calls on to `target`, "127.0.0.1:PORT", without reading their messages.
 *
 * Behaviour: deadlines, cancels, back-pressure and statuses go through. A stream that only
 * watches a run ends when this process drains; the run goes on.
 * Use: what one process has to decide for several. Not for: frames.
 */
export function createForwarding(target: string, calls: Calls): Forwarding {
  const client = new Client(target, credentials.createInsecure(), unlimited);
  const optionsOf = ({ deadlineAtMs }: CallContext) =>
    deadlineAtMs === undefined
      ? {}
      : { deadline: Date.now() + Math.max(0, deadlineAtMs - performance.now()) };

  const unary = (path: string) => (request: Buffer, context: CallContext) =>
    new Promise<Buffer>((resolve, reject) => {
      const options = optionsOf(context);
      const call = client.makeUnaryRequest(
        ...([path, asIs, asIs, request, new Metadata(), options] as const),
        (error, response) => {
          context.signal.removeEventListener('abort', cancel);
          if (error === null && response !== undefined) resolve(response);
          else reject(fromServiceError(error));
        },
      );
      const cancel = () => call.cancel();
      context.signal.addEventListener('abort', cancel, { once: true });
    });

  const stream = (path: string) =>
    async function* (request: Buffer, context: CallContext): AsyncGenerator<Buffer> {
      const isView = !path.endsWith('/Evaluate');
      const over = isView ? AbortSignal.any([context.signal, context.draining]) : context.signal;
      const options = optionsOf(context);
      const call = client.makeServerStreamRequest(path, asIs, asIs, request, options);
      const cancel = () => call.cancel();
      over.addEventListener('abort', cancel, { once: true });
      if (over.aborted) cancel();
      try {
        for await (const message of call) yield message as Buffer; // Readable's iterator is untyped
      } catch (error) {
        if (isView && context.draining.aborted) {
          throw new DomainError(
            'draining',
            'the server is shutting down: watch the run again later',
          );
        }
        throw fromServiceError(error);
      } finally {
        over.removeEventListener('abort', cancel);
        cancel(); // harmless after the end
      }
    };

  return {
    service(definition) {
      const methods = Object.entries(definition);
      const bytes = methods.map(([name, method]) => [
        name,
        { ...method, requestDeserialize: asIs, responseSerialize: asIs },
      ]);
      const handlers = methods.map(([name, { path, responseStream }]) => {
        const title = path.split('/')[2] ?? name;
        const handler = responseStream
          ? adaptServerStream<Buffer, Buffer>(calls, title, stream(path))
          : adaptUnary<Buffer, Buffer>(calls, title, unary(path));
        return [name, handler];
      });
      return [stampReceipt(Object.fromEntries(bytes)), Object.fromEntries(handlers)];
    },
    close: () => client.close(),
  };
}
