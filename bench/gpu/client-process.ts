// A client of `bench/gpu.ts` in a process of its own: streams that always have frames in
// flight. Arguments: port, streams, frames in flight of each, milliseconds. Prints one line of
// JSON: answers, those that were ok, and the milliseconds of each.
import { once } from 'node:events';
import { ClassifyResponse, Outcome } from '../../src/gen/cytostream/v1/classifier.js';
import { simulateCells } from '../../src/simulator/index.js';
import { connectRaw, encodeFrame, encodeOptions } from '../raw-client.js';

const [port, streams, inFlight, forMs] = process.argv.slice(2).map(Number) as [
  number,
  number,
  number,
  number,
];
const frame = encodeFrame(simulateCells({ seed: 1, labels: [23], sizePx: 128 }));
const client = connectRaw(port);
const times: number[] = [];
let ok = 0;
const startedAtMs = performance.now();
await Promise.all(
  Array.from({ length: streams }, async () => {
    const stream = client.openStream();
    const sentAtMs: number[] = [];
    const send = () => {
      sentAtMs.push(performance.now());
      stream.write(frame);
    };
    stream.write(encodeOptions({ model: 'bench', delivery: 'inOrder', maxInFlight: inFlight }));
    stream.on('data', (bytes: Buffer) => {
      const { message } = ClassifyResponse.decode(bytes);
      if (message?.$case !== 'prediction') return;
      times.push(performance.now() - (sentAtMs.shift() ?? 0));
      if (message.value.outcome === Outcome.OK) ok += 1;
      if (performance.now() - startedAtMs < forMs) send();
      else if (sentAtMs.length === 0) stream.end();
    });
    const ended = once(stream, 'end');
    for (let index = 0; index < inFlight; index += 1) send();
    await ended;
  }),
);
const seconds = (performance.now() - startedAtMs) / 1000;
client.close();
console.log(JSON.stringify({ answered: times.length, ok, seconds, times }));
