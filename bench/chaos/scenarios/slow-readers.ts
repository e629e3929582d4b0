import { encodeOptions } from '../../raw-client.js';
import { frameId, makeKnownFrames } from '../../soak/known-frames.js';
import { residentMib } from '../../soak/memory.js';
import { modelName } from '../../soak/models.js';
import { openDeafStream } from '../deaf-stream.js';
import type { Scenario } from '../scenario.js';
import { badEnds, startSteadyLoad } from '../steady-load.js';
import { withServer } from '../with-server.js';

const scenario = {
  name: 'slow readers',
  what: 'clients send without ever reading an answer, in every order and overflow; others are served beside them',
};

/** What the server may keep for one of them: its window, what it reads ahead, its answers. */
const mostMibEach = 8;

export const slowReaders: Scenario = {
  ...scenario,
  run: (context) =>
    withServer(
      scenario,
      context,
      { engine: { kind: 'fake', runMs: 0 } },
      async ({ server, tally }) => {
        const { port, pid, log } = server;
        const frames = await makeKnownFrames({ sizePx: 32 });
        const others = startSteadyLoad({ port, streams: 4, frames, tally });
        await others.answered(context.isShort ? 200 : 2000);
        const beforeMib = residentMib(pid);
        const readers = context.isShort ? 6 : 48;
        const framesEach = context.isShort ? 5000 : 20_000;
        const deaf = Array.from({ length: readers }, (_, index) => {
          const options = encodeOptions({
            model: modelName,
            overflow: (['block', 'dropOldest', 'latestOnly'] as const)[index % 3] ?? 'block',
            delivery: index % 2 === 0 ? 'asCompleted' : 'inOrder',
          });
          return openDeafStream(port, options, (number) =>
            frames.encode(frameId(1000 + index, number), number % frames.contents),
          );
        });
        // Until none of them moves any more; the others are served all the while.
        let moved = true;
        while (moved) {
          const before = deaf.map(({ sent }) => sent);
          await others.answered(context.isShort ? 1000 : 5000);
          const isDone = deaf.every(({ sent }) => sent >= framesEach);
          moved = !isDone && deaf.some(({ sent }, index) => sent !== before[index]);
        }
        const grewMib = residentMib(pid) - beforeMib;
        const taken = deaf.reduce((sum, { sent }) => sum + sent, 0);
        const endless = deaf.filter(({ sent }) => sent >= framesEach).length;
        const closed = log.calls.get('Classify') ?? 0;
        for (const stream of deaf) stream.destroy();
        await log.until(
          () => (log.calls.get('Classify') ?? 0) >= closed + readers,
          'the slow readers were let go',
        );
        return {
          facts: {
            slowReaders: readers,
            framesTheyCouldSend: taken,
            memoryGrewMib: Math.round(grewMib),
          },
          faults: [
            ...badEnds(await others.end()),
            ...(endless > 0 ? [`${endless} clients that never read were read from on and on`] : []),
            ...(grewMib > mostMibEach * readers + 64
              ? [`${readers} of them made the server grow by ${grewMib.toFixed(0)} MiB`]
              : []),
          ],
        };
      },
    ),
};
