import { status as grpcStatus } from '@grpc/grpc-js';
import { ClassifyResponse, Outcome } from '../../../src/gen/cytostream/v1/classifier.js';
import { createRandom } from '../../../src/simulator/index.js';
import { connectRaw, encodeOptions, type RawClient } from '../../raw-client.js';
import { frameId, makeKnownFrames } from '../../soak/known-frames.js';
import { modelName } from '../../soak/models.js';
import { count } from '../../soak/tally.js';
import { mutate } from '../mutate.js';
import type { Scenario } from '../scenario.js';
import { badEnds, startSteadyLoad } from '../steady-load.js';
import { withServer } from '../with-server.js';

const scenario = {
  name: 'mutated messages',
  what: 'frames and options with flipped, cut, doubled and foreign bytes into Classify, beside 4 good streams',
};

const messagesEach = 100;
const atOnce = 8;

export const mutations: Scenario = {
  ...scenario,
  run: (context) =>
    withServer(
      scenario,
      context,
      { engine: { kind: 'fake', runMs: 0 }, sizePx: 8 },
      async ({ server, tally }) => {
        const frames = await makeKnownFrames({ sizePx: 8 });
        const others = startSteadyLoad({ port: server.port, streams: 4, frames, tally });
        const client = connectRaw(server.port);
        const random = createRandom(1);
        const options = encodeOptions({ model: modelName, defaultDeadlineMs: 1000 });
        const wanted = context.isShort ? 2000 : 100_000;
        let sent = 0;
        const ends = new Map<string, number>();
        const faults: string[] = [];
        const sender = async () => {
          while (sent < wanted) {
            const messages = Array.from({ length: messagesEach }, (_, index) => {
              // Every twentieth time the options, which may only come first, in another form.
              const isOptions = random.whole(0, 19) === 0;
              const original = isOptions
                ? options
                : frames.encode(frameId(7777, sent + index), random.whole(0, frames.contents - 1));
              return mutate(original, random);
            });
            const opening = random.whole(0, 3) === 0 ? mutate(options, random) : options;
            sent += messages.length;
            const { end, fault } = await sendAll(client, opening, messages);
            count(ends, end);
            if (fault !== null) faults.push(fault);
          }
        };
        await Promise.all(Array.from({ length: atOnce }, sender));
        client.close();
        await others.answered(100);
        return {
          facts: {
            mutatedMessages: sent,
            ...Object.fromEntries([...ends].map(([end, streams]) => [`streams ${end}`, streams])),
          },
          faults: [...badEnds(await others.end()), ...faults.slice(0, 10)],
        };
      },
    ),
};

/** What a mutated message may rightly end its stream with. */
const fitCodes: ReadonlySet<number> = new Set([
  grpcStatus.INVALID_ARGUMENT, // it became options, or the first was none
  grpcStatus.NOT_FOUND, // of a model that there is not
]);

/** One stream of them; in a stream that ends well each has its answer. */
async function sendAll(
  client: RawClient,
  opening: Buffer,
  messages: readonly Buffer[],
): Promise<{ readonly end: string; readonly fault: string | null }> {
  const stream = client.openStream();
  let answers = 0;
  let failed = '';
  stream.on('data', (bytes: Buffer) => {
    const { message } = ClassifyResponse.decode(bytes);
    if (message?.$case !== 'prediction') return;
    answers += 1;
    if (message.value.outcome === Outcome.FAILED) failed = message.value.message;
  });
  stream.on('error', () => {});
  const ended = Promise.all([
    new Promise<number>((resolve) => stream.once('status', ({ code }) => resolve(code))),
    new Promise((resolve) => stream.once('end', resolve)),
  ]);
  stream.write(opening);
  for (const message of messages) stream.write(message);
  stream.end();
  const [code] = await ended;
  const end = grpcStatus[code] ?? String(code);
  if (failed !== '') return { end, fault: `a mutated message was answered failed: ${failed}` };
  // The opening may have become a frame itself, which is then answered too.
  const isWhole = answers === messages.length || answers === messages.length + 1;
  if (code === grpcStatus.OK) {
    return { end, fault: isWhole ? null : `${messages.length} messages got ${answers} answers` };
  }
  return { end, fault: fitCodes.has(code) ? null : `a stream of mutated messages ended ${end}` };
}
