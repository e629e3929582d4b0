// A process under a limit on the size of files: a full disk that needs no rights to make.
import { createRunStore } from '../../src/training/run-store.js';
import { endedEvent, stepEvent, what } from './run-fixtures.js';

const store = createRunStore(process.argv[2] ?? '');
await store.create('limited', what);
let failure = '';
for (let step = 1; failure === ''; step += 1) {
  await store.append('limited', stepEvent(step)).catch((error: Error) => {
    failure = error.message;
  });
}
await store.append('limited', endedEvent).catch(() => undefined);
const numbers: number[] = [];
for await (const { number } of store.watch('limited', 1, new AbortController().signal)) {
  numbers.push(number);
}
console.log(JSON.stringify({ failure, numbers, state: (await store.get('limited')).state }));
await store.close();
