// An I/O process: started by `io-processes.ts`, never imported.
import { DomainError } from '../../errors.js';
import { relaxCollector } from '../collector.js';
import type { IoOptions, IoReply, IoRequest } from './messages.js';
import { openIo } from './open-io.js';

const tell = (reply: IoReply, told?: () => void) =>
  process.send?.(reply, undefined, undefined, told);
// The process with the engine decides when this one ends: a terminal signals the whole group.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('SIGHUP', () => {});
// Nobody is left to run frames.
process.on('disconnect', () => process.exit(1));

relaxCollector();
const options: IoOptions = JSON.parse(process.argv[2] ?? '{}');
const opened = openIo(options);
// What is asked before it is open waits for that.
process.on('message', async (request: IoRequest) => {
  const io = await opened.catch(() => null);
  if (io === null) return; // told below
  if (request.kind === 'serving') io.setServing(request.serving);
  else if (request.kind === 'drain') {
    void io.drain(request.graceMs).finally(() => process.exit(0));
  } else {
    const { id } = request;
    tell({ kind: 'metrics', id, metrics: await io.metrics.snapshot() });
  }
});
try {
  const { port } = await opened;
  tell({ kind: 'listening', port });
} catch (thrown) {
  const { code, message } = DomainError.from(thrown);
  tell({ kind: 'failed', code, message }, () => process.exit(1));
}
