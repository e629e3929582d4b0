// The trainer process: started by `trainer-process.ts`, never imported.
import { existsSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { DomainError } from '../../errors.js';
import { stopFile } from '../run-store.js';
import type { Outcome, ParentMessage, ProcessMessage, ProcessOptions } from './messages.js';
import { createPace } from './pace.js';
import { trainRun } from './train-run.js';

// Serving goes before training.
try {
  setPriority(constants.priority.PRIORITY_LOW);
} catch {
  // A system that forbids it trains all the same.
}
// Nobody is left to publish what would be learnt.
process.on('disconnect', () => process.exit(1));
// For the parent to decide: a terminal sends Ctrl-C, and its end, to its whole group;
// `timeout` and systemd send SIGTERM so. The parent ends it by SIGKILL where it must.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM']) process.on(signal, () => {});

const options: ProcessOptions = JSON.parse(process.argv[2] ?? '{}');
const stopPath = stopFile(options.folder);
const isStopRequested = () => existsSync(stopPath);
const pace = createPace(options.share, { isStopRequested });
process.on('message', ({ isServing }: ParentMessage) => pace.setServing(isServing));
const send = (message: ProcessMessage, sent?: () => void) =>
  process.send?.(message, undefined, undefined, sent);
const note = (message: string, thrown: unknown) => console.error(message, thrown);

const outcome = await trainRun(options, {
  tell: (event) => send({ kind: 'event', event }),
  warn: note,
  isStopRequested,
  rest: pace.rest,
}).catch((thrown: unknown): Outcome => {
  const error = DomainError.from(thrown);
  note('the run failed', thrown);
  return { state: 'failed', reason: error.message, exported: null };
});
send({ kind: 'outcome', outcome }, () => process.exit(0));
