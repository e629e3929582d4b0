import http2 from 'node:http2';

/** A Classify stream that writes as long as it is let, and reads nothing. */
export interface DeafStream {
  /** Messages that the transport has taken. */
  readonly sent: number;
  destroy(): void;
}

/**
 * Opens one on a connection of its own. Not with grpc-js: its client takes everything off
 * the wire whether or not it is read.
 */
export function openDeafStream(
  port: number,
  options: Buffer,
  messageOf: (number: number) => Buffer,
): DeafStream {
  const session = http2.connect(`http://127.0.0.1:${port}`, {
    // Little room for answers, so that it is full soon.
    settings: { initialWindowSize: 4096 },
  });
  // Ended by the server or by us: both are meant.
  session.on('error', () => {});
  const stream = session.request({
    ':method': 'POST',
    ':path': '/cytostream.v1.ClassifierService/Classify',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => {});
  let sent = 0;
  const pump = () => {
    while (!stream.destroyed && stream.write(framed(messageOf(sent)))) sent += 1;
    sent += 1;
  };
  stream.on('drain', pump);
  stream.write(framed(options));
  pump();
  return {
    get sent() {
      return sent;
    },
    destroy: () => session.destroy(),
  };
}

/** A message as gRPC puts it on the wire: not compressed, its length, its bytes. */
export function framed(bytes: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}
