import { once } from 'node:events';
import { makeKnownFrames } from '../../soak/known-frames.js';
import type { Scenario } from '../scenario.js';
import { badEnds, startSteadyLoad } from '../steady-load.js';
import { withServer } from '../with-server.js';

const scenario = {
  name: 'engine stalls',
  what: 'every run takes 2 s now and then; half of the streams give a deadline of 300 ms',
};

export const engineStalls: Scenario = {
  ...scenario,
  run: (context) =>
    withServer(
      scenario,
      context,
      { engine: { kind: 'fake', runMs: 1 } },
      async ({ server, tally }) => {
        const frames = await makeKnownFrames({ sizePx: 32 });
        const load = startSteadyLoad({
          port: server.port,
          streams: 12,
          frames,
          tally,
          inFlight: 96,
          optionsOf: (stream) => ({
            ...(stream % 2 === 0 ? { defaultDeadlineMs: 300 } : {}),
            overflow: (['block', 'dropOldest', 'latestOnly'] as const)[stream % 3] ?? 'block',
            delivery: stream % 4 < 2 ? 'asCompleted' : 'inOrder',
          }),
        });
        const stalls = context.isShort ? 1 : 5;
        await load.answered(500);
        for (let stall = 0; stall < stalls; stall += 1) {
          server.order({ kind: 'stall', forMs: context.isShort ? 700 : 2000 });
          await once(AbortSignal.timeout(context.isShort ? 400 : 1000), 'abort');
          await load.answered(500);
        }
        return { facts: { stalls }, faults: badEnds(await load.end()) };
      },
    ),
};
