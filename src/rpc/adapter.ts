import { type EventEmitter, once } from 'node:events';
import type {
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
} from '@grpc/grpc-js';
import { DomainError } from '../errors.js';
import type { CallContext, Calls } from './calls.js';
import type { Received } from './received.js';
import { toStatus } from './status.js';

/** Answers one message with one. */
export type UnaryHandler<Request, Response> = (
  request: Request,
  context: CallContext & {
    readonly receivedAtMs: number;
    /** Of the request as it came. */
    readonly byteLength: number;
    /** Address of the other end: what comes by one connection shares its turns. */
    readonly peer: string;
  },
) => Promise<Response>;

/** Answers one message with a stream; its generator is closed when the caller leaves. */
export type StreamHandler<Request, Response> = (
  request: Request,
  context: CallContext,
) => AsyncIterable<Response>;

/** Reads and writes the call itself; the adapter ends it when the promise settles. */
export type DuplexHandler<Request, Response> = (
  call: ServerDuplexStream<Received<Request>, Response>,
  context: CallContext,
) => Promise<void>;

/** A handler for grpc-js: admits the call, links its signal, and turns what is thrown into a status. */
export function adaptUnary<Request, Response>(
  calls: Calls,
  method: string,
  handler: UnaryHandler<Request, Response>,
) {
  return (
    call: ServerUnaryCall<Received<Request>, Response>,
    callback: sendUnaryData<Response>,
  ): void => {
    let response: Response | null = null;
    conduct(calls, method, call, async (context) => {
      const { atMs, byteLength } = call.request;
      const came = { receivedAtMs: atMs, byteLength, peer: call.getPeer() };
      response = await handler(read(call.request), { ...context, ...came });
    }).then((failure) => {
      if (failure === null) callback(null, response);
      else callback(toServiceError(failure));
    });
  };
}

export function adaptServerStream<Request, Response>(
  calls: Calls,
  method: string,
  handler: StreamHandler<Request, Response>,
) {
  return (call: ServerWritableStream<Received<Request>, Response>): void => {
    conduct(calls, method, call, async (context) => {
      for await (const response of handler(read(call.request), context)) {
        context.signal.throwIfAborted();
        if (!call.write(response)) await once(call, 'drain', { signal: context.signal });
      }
    }).then((failure) => end(call, failure));
  };
}

export function adaptDuplex<Request, Response>(
  calls: Calls,
  method: string,
  handler: DuplexHandler<Request, Response>,
) {
  return (call: ServerDuplexStream<Received<Request>, Response>): void => {
    conduct(calls, method, call, (context) => handler(call, context)).then((failure) =>
      end(call, failure),
    );
  };
}

/** What the three kinds of calls have in common. */
interface ServerSurfaceCall extends EventEmitter {
  readonly cancelled: boolean;
  getDeadline(): Date | number;
}

/** What a call ended with, and the id that its log line has. */
interface Failure {
  readonly error: DomainError;
  readonly id: string;
}

/** Runs one call from admission to its log line. Never rejects: grpc-js drops promises. */
async function conduct(
  calls: Calls,
  method: string,
  call: ServerSurfaceCall,
  body: (context: CallContext) => Promise<void>,
): Promise<Failure | null> {
  const open = calls.open(method, call.getDeadline());
  if ('refusal' in open) return { error: open.refusal, id: open.id };
  const { context } = open;
  call.on('cancelled', () => open.leave(whyCancelled(call.getDeadline())));
  if (call.cancelled) open.leave(whyCancelled(call.getDeadline()));
  let error: DomainError | null = null;
  try {
    context.signal.throwIfAborted();
    await body(context);
  } catch (thrown) {
    // An aborted wait tells that it was aborted; the signal knows why.
    error = DomainError.from(context.signal.aborted ? context.signal.reason : thrown);
  }
  open.finish(error);
  return error === null ? null : { error, id: context.id };
}

// Made once: taking its stack would be most of what it costs to let a caller go.
const passed = new DomainError('deadline', 'the deadline of the call has passed');
const left = new DomainError('cancelled', 'the caller left');

function whyCancelled(deadline: Date | number): DomainError {
  return Date.now() >= Number(deadline) ? passed : left;
}

function read<Request>(received: Received<Request>): Request {
  if ('value' in received) return received.value;
  throw new DomainError('option_invalid', received.fault);
}

function toServiceError({ error, id }: Failure) {
  const told = toStatus(error, id);
  return Object.assign(new Error(told.details), told);
}

/** grpc-js sends the status of an error event after what was written before it. */
function end(
  call: ServerSurfaceCall & { readonly destroyed: boolean; end(): unknown },
  failure: Failure | null,
): void {
  // Nobody is there to be told, as when thousands leave at once.
  if (call.destroyed) return;
  if (failure === null) call.end();
  else call.emit('error', toServiceError(failure));
}
