import http2 from 'node:http2';

export type Http2Server = http2.Http2Server | http2.Http2SecureServer;

export interface WindowOptions {
  /** Bytes a client may send on one stream before the server has read them. */
  readonly windowBytes: number;
  /** Is shown each server before it listens. */
  readonly onServer?: (server: Http2Server) => void;
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

function widen<Server extends Http2Server>(
  server: Server,
  { windowBytes, onServer }: WindowOptions,
): Server {
  server.on('session', (session: http2.ServerHttp2Session) => {
    session.setLocalWindowSize(Math.min(2 ** 31 - 1, connectionWindows * windowBytes));
  });
  onServer?.(server);
  return server;
}
