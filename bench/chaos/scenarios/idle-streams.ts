import { once } from 'node:events';
import { connectRaw, encodeOptions, type RawStream } from '../../raw-client.js';
import { makeKnownFrames } from '../../soak/known-frames.js';
import { residentMib } from '../../soak/memory.js';
import { modelName } from '../../soak/models.js';
import type { Scenario } from '../scenario.js';
import { badEnds, startSteadyLoad } from '../steady-load.js';
import { withServer } from '../with-server.js';

const scenario = {
  name: 'idle streams',
  what: 'thousands of open streams that send nothing, 1,000 a connection, beside 8 that do',
};

export const idleStreams: Scenario = {
  ...scenario,
  run: (context) => {
    const connections = 10;
    const streamsEach = context.isShort ? 30 : 1000;
    const idle = connections * streamsEach;
    return withServer(
      scenario,
      context,
      { engine: { kind: 'fake', runMs: 0 }, config: { maxCalls: idle + 100 } },
      async ({ server, tally }) => {
        const { port, pid, log } = server;
        const frames = await makeKnownFrames({ sizePx: 32 });
        const others = startSteadyLoad({ port, streams: 8, frames, tally });
        await others.answered(1000);
        const beforeMib = residentMib(pid);
        const clients = Array.from({ length: connections }, () => connectRaw(port));
        const options = encodeOptions({ model: modelName });
        const streams: RawStream[] = [];
        for (const client of clients) {
          const opened = Array.from({ length: streamsEach }, () => client.openStream());
          streams.push(...opened);
          await Promise.all(opened.map((stream) => openIdle(stream, options)));
        }
        const grewMib = residentMib(pid) - beforeMib;
        await others.answered(context.isShort ? 200 : 5000);
        const closed = log.calls.get('Classify') ?? 0;
        for (const stream of streams) stream.cancel();
        for (const client of clients) client.close();
        await log.until(
          () => (log.calls.get('Classify') ?? 0) >= closed + idle,
          'the idle streams were let go',
        );
        await others.answered(100);
        return {
          facts: {
            idleStreams: idle,
            memoryKibEach: Math.round((grewMib * 1024) / idle),
          },
          faults: badEnds(await others.end()),
        };
      },
    );
  },
};

/** Resolves when the server has told the model: the stream is open on both sides. */
async function openIdle(stream: RawStream, options: Buffer): Promise<void> {
  const told = once(stream, 'data');
  stream.write(options);
  await told;
  // It ends when its connection is closed.
  stream.on('error', () => {});
}
