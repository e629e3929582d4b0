import http2 from 'node:http2';
import type { Socket } from 'node:net';
import { createReadingTurns } from './reading-turns.js';
import type { Http2Server } from './windows.js';

/**
 * Is handed what is to be done for a stream that opens or ends, by its path, or for a connection
 * that is gone, by null; does each once, at its own time and in order, and says whether it did so
 * at once.
 */
export type Hold = (path: string | null, work: () => void) => boolean;

type Stream = http2.ServerHttp2Stream;
type Session = http2.ServerHttp2Session;
type Emit = (event: string | symbol, ...args: unknown[]) => boolean;

/**
 * Lets `hold` decide when grpc-js hears of a stream, and when one ends whose connection is gone.
 * Each is a few bytes or none, so that thousands of them come in one turn of the event loop. Of
 * a stream that has left before, grpc-js never hears.
 */
export function holdStreams(server: Http2Server, hold: Hold): void {
  const streamsOf = new Map<Session, Set<Stream>>();
  const turns = createReadingTurns(streamsOf);
  const emit: Emit = server.emit.bind(server);
  server.emit = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event !== 'stream') return emit(event, ...args);
    // As `Http2Server` documents them.
    const [stream, headers] = args as [Stream, http2.IncomingHttpHeaders];
    const session = stream.session as Session | undefined;
    const path = headers[':path'] ?? '';
    const holdIt = (work: () => void) => {
      if (!hold(path, work) && session) turns.overran(session);
    };
    const streams = session && streamsOf.get(session);
    streams?.add(stream);
    stream.once('close', () => streams?.delete(stream));
    holdEvents(stream, ['end', 'close'], holdIt);
    holdIt(() => {
      if (!stream.destroyed) emit(event, ...args);
    });
    return true;
  };

  // A session is made for a socket while Node itself hears of that, which is before we do.
  let made: Session | null = null;
  server.on('session', (session: Session) => {
    made = session;
  });
  const holdGone = (socket: Socket) => {
    const session = made;
    made = null;
    if (session === null) return; // it is made once the socket is secure
    const streams = new Set<Stream>();
    streamsOf.set(session, streams);
    let isGone = false;
    holdEvents(socket, ['error', 'close'], (work) => {
      // Node would end them all at once.
      for (const stream of isGone ? [] : streams) {
        hold(null, () => stream.close(http2.constants.NGHTTP2_CANCEL));
      }
      isGone = true;
      hold(null, work);
    });
    socket.once('close', () => streamsOf.delete(session));
  };
  server.on('connection', holdGone);
  server.on('secureConnection', holdGone);
}

function holdEvents(
  emitter: Stream | Socket,
  held: readonly (string | symbol)[],
  hold: (work: () => void) => void,
): void {
  const emit: Emit = emitter.emit.bind(emitter);
  emitter.emit = (event: string | symbol, ...args: unknown[]): boolean => {
    if (!held.includes(event)) return emit(event, ...args);
    hold(() => void emit(event, ...args));
    return true;
  };
}
