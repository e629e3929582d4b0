import { once } from 'node:events';
import { connectRaw, encodeOptions, type RawStream } from '../../raw-client.js';
import { makeKnownFrames } from '../../soak/known-frames.js';
import { residentMib } from '../../soak/memory.js';
import { modelName } from '../../soak/models.js';
import { openFreezingProxy } from '../freezing-proxy.js';
import type { Scenario } from '../scenario.js';
import { badEnds, startSteadyLoad } from '../steady-load.js';
import { withServer } from '../with-server.js';

const scenario = {
  name: 'idle streams',
  what: 'thousands of open streams that send nothing, 1,000 a connection, beside 8 that do; half are cancelled at once, then the connections of the others reset',
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
        const proxy = await openFreezingProxy(port);
        const options = encodeOptions({ model: modelName });
        const openHalf = async (half: number) => {
          const clients = Array.from({ length: connections / 2 }, () => connectRaw(half));
          const streams: RawStream[] = [];
          for (const client of clients) {
            const opened = Array.from({ length: streamsEach }, () => client.openStream());
            streams.push(...opened);
            await Promise.all(opened.map((stream) => openIdle(stream, options)));
          }
          return { clients, streams };
        };
        const cancelled = await openHalf(port);
        const reset = await openHalf(proxy.port);
        const grewMib = residentMib(pid) - beforeMib;
        await others.answered(context.isShort ? 200 : 5000);
        const closed = log.calls.get('Classify') ?? 0;
        const letGo = (count: number) =>
          log.until(
            () => (log.calls.get('Classify') ?? 0) >= closed + count,
            `${count} idle streams were let go`,
          );
        for (const stream of cancelled.streams) stream.cancel();
        for (const client of cancelled.clients) client.close();
        await letGo(idle / 2);
        await others.answered(100);
        proxy.reset();
        for (const client of reset.clients) client.close();
        await letGo(idle);
        await proxy.close();
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
