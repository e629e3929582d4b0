import { once } from 'node:events';
import type {
  ClientDuplexStream,
  ClientReadableStream,
  ClientUnaryCall,
  CallOptions as GrpcCallOptions,
  ServiceError,
} from '@grpc/grpc-js';
import { DomainError } from '../errors.js';
import { fromServiceError } from '../rpc/index.js';

/** What every call takes beside its request. */
export interface CallOptions {
  /** Cancels the call. */
  readonly signal?: AbortSignal | undefined;
  /** The server gives up after it, with `deadline`. @default none */
  readonly timeoutMs?: number | undefined;
}

/** The same for grpc-js; the deadline counts from now. */
export function grpcOptions(options: CallOptions): GrpcCallOptions {
  return options.timeoutMs === undefined ? {} : { deadline: Date.now() + options.timeoutMs };
}

/** Runs one unary call; throws the `DomainError` that the server had. */
export function unary<Response>(
  options: CallOptions,
  start: (callback: (error: ServiceError | null, response: Response) => void) => ClientUnaryCall,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted) {
      reject(DomainError.from(options.signal.reason));
      return;
    }
    const call = start((error, response) => {
      options.signal?.removeEventListener('abort', cancel);
      if (error === null) resolve(response);
      else reject(fromServiceError(error));
    });
    const cancel = () => call.cancel();
    options.signal?.addEventListener('abort', cancel, { once: true });
  });
}

/**
 * The messages of a stream, read as fast as the caller takes them. Leaving the loop
 * cancels the call. Throws the `DomainError` that the server had.
 */
export async function* messages<Message>(
  options: CallOptions,
  call: ClientReadableStream<Message> | ClientDuplexStream<never, Message>,
): AsyncGenerator<Message, void, undefined> {
  const cancel = () => call.cancel();
  options.signal?.addEventListener('abort', cancel, { once: true });
  if (options.signal?.aborted) cancel();
  try {
    for await (const message of call) yield message as Message; // Readable's iterator is untyped
  } catch (error) {
    throw fromServiceError(error);
  } finally {
    options.signal?.removeEventListener('abort', cancel);
    call.cancel();
  }
}

/**
 * Sends and receives at once. The next request is asked for only when the transport
 * took the one before, and replies are read only as the caller takes them.
 */
export async function* exchange<Request, Message>(
  options: CallOptions,
  call: ClientDuplexStream<Request, Message>,
  requests: AsyncIterable<Request> | Iterable<Request>,
): AsyncGenerator<Message, void, undefined> {
  let failure: unknown = null;
  const gone = new AbortController();
  call.once('close', () => gone.abort());
  call.once('error', () => gone.abort());
  const send = async () => {
    for await (const request of requests) {
      if (gone.signal.aborted) return;
      if (!call.write(request)) await once(call, 'drain', { signal: gone.signal });
    }
    call.end();
  };
  const sending = send().catch((error: unknown) => {
    if (gone.signal.aborted) return;
    failure = error;
    call.cancel();
  });
  try {
    yield* messages(options, call as ClientDuplexStream<never, Message>); // only reads
    gone.abort();
  } catch (error) {
    gone.abort();
    throw failure ?? error;
  }
  // A source that waits for its next frame is not awaited: nobody will send that frame.
  void sending;
}
