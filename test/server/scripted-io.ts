// An I/O process of the tests. `target` holds how each start in turn is to go, one word a start
// of all processes together; a start beyond them serves.
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { IoOptions, IoReply, IoRequest } from '../../src/server/io/messages.js';

const { config, target }: IoOptions = JSON.parse(process.argv[2] ?? '');
const tell = (reply: IoReply) => process.send?.(reply);
const words = target.split(' ');
const word = words[takeNumber()] ?? 'serves';

process.on('disconnect', () => process.exit(1));
if (word === 'dies') process.kill(process.pid, 'SIGKILL');
// Blocks its event loop.
if (word === 'hangs') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600_000);
if (word === 'refuses') tell({ kind: 'failed', code: 'option_invalid', message: 'port: in use' });
if (word === 'serves') {
  process.on('message', ({ kind }: IoRequest) => {
    if (kind === 'drain') process.exit(0);
  });
  const server = createServer((socket) => socket.end(String(process.pid)));
  server.listen(0, '127.0.0.1', () => {
    tell({ kind: 'listening', port: (server.address() as { port: number }).port });
  });
}

/** From 0 up; no two processes take the same. */
function takeNumber(): number {
  for (let number = 0; ; number += 1) {
    try {
      mkdirSync(join(config.runsDir, String(number)));
      return number;
    } catch (error) {
      if ((error as { code?: string }).code !== 'EEXIST') throw error;
    }
  }
}
