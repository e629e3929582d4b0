import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A connection to a server that can be made to fail as networks do. */
export interface FreezingProxy {
  readonly port: number;
  /** Forwards nothing any more and closes nothing: both ends are left half-open. */
  freeze(): void;
  /** Resets what is open. */
  reset(): void;
  close(): Promise<void>;
}

/** Opens a port that forwards to another, until it freezes. */
export async function openFreezingProxy(serverPort: number): Promise<FreezingProxy> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket, other: () => Socket) => {
    sockets.add(socket);
    // A reset is what is tested: both ends tell it.
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      other().destroy();
    });
  };
  const server = createServer((near) => {
    const far = connect(serverPort, '127.0.0.1');
    keep(near, () => far);
    keep(far, () => near);
    near.pipe(far);
    far.pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // of TCP it is never a string
  return {
    port,
    freeze() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    reset() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
