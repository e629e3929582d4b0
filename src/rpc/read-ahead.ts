import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import type { Received } from './received.js';

/** Messages of one stream that are here and not taken yet; one more may come whole. */
const maxUnreadBytes = 4 * 1024 * 1024;

/**
 * Bounds what grpc-js reads ahead of a handler. By itself it keeps 16 messages a stream,
 * whatever their size: a gigabyte of the largest. With this, small messages are read
 * ahead as before, and of large ones only until 4 MiB wait; the rest stays with the sender.
 */
export const limitReadAhead: ServerInterceptor = (method, next) => {
  if (!method.requestStream) return new ServerInterceptingCall(next);
  let unreadBytes = 0;
  let isHeld = false;
  const call = new ServerInterceptingCall(next, {
    start: (proceed) =>
      proceed({
        onReceiveMessage(message: Partial<Received<unknown>>, pass) {
          const { byteLength } = message;
          // A stream of another service: its messages are not ours to count.
          if (byteLength === undefined) {
            pass(message);
            return;
          }
          unreadBytes += byteLength;
          message.taken = () => {
            unreadBytes -= byteLength;
            if (!isHeld || unreadBytes >= maxUnreadBytes) return;
            isHeld = false;
            read();
          };
          pass(message);
        },
      }),
  });
  const read = call.startRead.bind(call);
  call.startRead = () => {
    if (unreadBytes < maxUnreadBytes) read();
    else isHeld = true;
  };
  return call;
};
