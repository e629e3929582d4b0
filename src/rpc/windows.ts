import http2 from 'node:http2';
import type { Socket } from 'node:net';
import { createReadingTurns } from './reading-turns.js';

type OnStream = (path: string, work: () => void) => boolean;

export interface WindowOptions {
  /** Bytes a client may send on one stream before the server has read them. */
  readonly windowBytes: number;
  /** Hears of every connection of such a server, before anything is known of it. */
  readonly onConnection?: (socket: Socket) => void;
  /**
   * Is handed what is to be done for a stream that opens or ends, by its path, and does each
   * once, at its own time and in order; says whether it did so at once. @default at once
   */
  readonly onStream?: OnStream;
}

/**
 * A connection is shared by several streams. Node gives its window back as soon as bytes
 * arrive, so a stream that nobody reads cannot starve the others through it.
 */
const connectionWindows = 4;
/** Fewer, larger DATA frames; the limit that a peer may use, not a buffer. */
const maxFrameSize = 1024 * 1024;

type CreateServer = typeof http2.createServer;
type CreateSecureServer = typeof http2.createSecureServer;

/** Settles when no `withWindows` is under way any more. */
let before: Promise<unknown> = Promise.resolve();

/**
 * Runs `bind`, and gives every HTTP/2 server that is made meanwhile a large flow-control
 * window. grpc-js has no option for it on a server: its 64 KiB cost three to six times
 * the throughput of large frames. It looks `createServer` up on the module when it
 * binds, so replacing the two functions for that moment needs no private field. Ports take
 * turns: each gets its own settings.
 */
export function withWindows<T>(options: WindowOptions, bind: () => Promise<T>): Promise<T> {
  const bound = before.then(() => bindWidened(options, bind));
  before = bound.catch(() => {});
  return bound;
}

async function bindWidened<T>(options: WindowOptions, bind: () => Promise<T>): Promise<T> {
  const { createServer: plain, createSecureServer: secure } = http2;
  http2.createServer = ((serverOptions: http2.ServerOptions) =>
    widen(plain(withSettings(serverOptions, options)), options)) as CreateServer;
  http2.createSecureServer = ((serverOptions: http2.SecureServerOptions) =>
    widen(secure(withSettings(serverOptions, options)), options)) as CreateSecureServer;
  try {
    return await bind();
  } finally {
    http2.createServer = plain;
    http2.createSecureServer = secure;
  }
}

function withSettings<Options extends http2.ServerOptions>(
  serverOptions: Options,
  { windowBytes }: WindowOptions,
): Options {
  const settings = { ...serverOptions.settings, initialWindowSize: windowBytes, maxFrameSize };
  return { ...serverOptions, settings };
}

function widen<Server extends http2.Http2Server | http2.Http2SecureServer>(
  server: Server,
  { windowBytes, onConnection, onStream }: WindowOptions,
): Server {
  if (onConnection) server.on('connection', onConnection);
  server.on('session', (session: http2.ServerHttp2Session) => {
    session.setLocalWindowSize(Math.min(2 ** 31 - 1, connectionWindows * windowBytes));
  });
  if (onStream) holdStreams(server, onStream);
  return server;
}

type Emit = (event: string | symbol, ...args: unknown[]) => boolean;

/** Lets `onStream` decide when grpc-js hears of a stream; of one that has left it never does. */
function holdStreams(
  server: http2.Http2Server | http2.Http2SecureServer,
  onStream: OnStream,
): void {
  const turns = createReadingTurns();
  const emit: Emit = server.emit.bind(server);
  server.emit = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event !== 'stream') return emit(event, ...args);
    // As `Http2Server` documents them.
    const [stream, headers] = args as [http2.ServerHttp2Stream, http2.IncomingHttpHeaders];
    const { session } = stream;
    const path = headers[':path'] ?? '';
    const hold = (work: () => void) => {
      if (!onStream(path, work) && session) turns.overran(session);
    };
    if (session) {
      turns.opened(session);
      stream.once('close', () => turns.closed(session));
    }
    holdEnd(stream, hold);
    hold(() => {
      if (!stream.destroyed) emit(event, ...args);
    });
    return true;
  };
}

/**
 * The same for the end of a stream: thousands of them are a few bytes each, which come in one
 * turn of the event loop, and ending a call is much of what it ever costs.
 */
function holdEnd(stream: http2.ServerHttp2Stream, hold: (work: () => void) => void): void {
  const emit: Emit = stream.emit.bind(stream);
  stream.emit = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event !== 'end' && event !== 'close') return emit(event, ...args);
    hold(() => void emit(event, ...args));
    return true;
  };
}
