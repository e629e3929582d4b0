import { once } from 'node:events';
import { encodeOptions, type RawClient } from './raw-client.js';

/** Frames a second of streams of the model `bench` that always have so many frames in flight. */
export async function closedLoop(
  client: RawClient,
  {
    frame,
    streams,
    inFlight,
    forMs,
  }: {
    /** One encoded request. */
    readonly frame: Buffer;
    readonly streams: number;
    readonly inFlight: number;
    readonly forMs: number;
  },
): Promise<number> {
  let answered = 0;
  const startedAt = performance.now();
  const endMs = startedAt + forMs;
  const runStream = async () => {
    const stream = client.openStream();
    stream.write(encodeOptions({ model: 'bench', maxInFlight: inFlight }));
    // The first answer tells the model.
    let answers = -1;
    const sendMore = () => {
      if (performance.now() < endMs) stream.write(frame);
      else stream.end();
    };
    stream.on('data', () => {
      answers += 1;
      if (answers > 0) sendMore();
    });
    const ended = once(stream, 'end');
    for (let index = 0; index < inFlight; index += 1) stream.write(frame);
    await ended;
    answered += answers;
  };
  await Promise.all(Array.from({ length: streams }, runStream));
  return (answered * 1000) / (performance.now() - startedAt);
}
