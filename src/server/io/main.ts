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
try {
  const io = await openIo(options);
  process.on('message', (request: IoRequest) => {
    if (request.kind === 'drain') void io.drain(request.graceMs).finally(() => process.exit(0));
    else {
      const { id } = request;
      void io.metrics.snapshot().then((metrics) => tell({ kind: 'metrics', id, metrics }));
    }
  });
  tell({ kind: 'listening', port: io.port });
} catch (thrown) {
  const { code, message } = DomainError.from(thrown);
  tell({ kind: 'failed', code, message }, () => process.exit(1));
}
