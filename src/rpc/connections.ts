import type { Socket } from 'node:net';

/** The connections of a port, each from before anything is known of it. */
export interface Connections {
  add(socket: Socket): void;
  /** Ends what is open, without a word to the other end. */
  destroy(): void;
  /** Resolves when none is open. */
  none(): Promise<void>;
}

export function createConnections(): Connections {
  const open = new Set<Socket>();
  let onNone: (() => void)[] = [];
  return {
    add(socket) {
      open.add(socket);
      socket.once('close', () => {
        open.delete(socket);
        if (open.size > 0) return;
        for (const resolve of onNone) resolve();
        onNone = [];
      });
    },
    destroy() {
      for (const socket of [...open]) socket.destroy();
    },
    none() {
      if (open.size === 0) return Promise.resolve();
      return new Promise((resolve) => onNone.push(resolve));
    },
  };
}
