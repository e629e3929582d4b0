// A process that makes a run, writes two events, and then waits to be killed.
import { createRunStore } from '../../src/training/run-store.js';
import { stepEvent, what } from './run-fixtures.js';

const store = createRunStore(process.argv[2] ?? '');
await store.create('theirs', what);
await store.append('theirs', stepEvent(1));
await store.append('theirs', stepEvent(2));
process.send?.('two events written');
// Listening keeps the process there until it is killed or its parent goes.
process.on('message', () => undefined);
