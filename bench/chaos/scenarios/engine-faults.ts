import { connect } from '../../../src/client/index.js';
import { learnKnownFrames } from '../../soak/known-frames.js';
import type { ServerOrder } from '../../soak/ordered-engine.js';
import type { Scenario } from '../scenario.js';
import { badEnds, startSteadyLoad } from '../steady-load.js';
import { withServer } from '../with-server.js';

const sizePx = 40;

/** Workers of the real runtime that fail in a way again and again while eight streams run. */
function engineFault(
  name: string,
  what: string,
  {
    kinds,
    rounds,
    mayHoldThreads = false,
  }: { kinds: readonly ServerOrder['kind'][]; rounds: number; mayHoldThreads?: boolean },
): Scenario {
  const scenario = { name, what };
  return {
    ...scenario,
    run: (context) =>
      withServer(
        scenario,
        context,
        {
          engine: { kind: 'breakable', runTimeoutMs: 1000 },
          sizePx,
          config: { batchSizes: '1,2,4,8' },
          expectedErrors: /the engine worker ended/,
          mayHoldThreads,
        },
        async ({ server, tally }) => {
          const { port, log } = server;
          const client = connect(`127.0.0.1:${port}`);
          const frames = await learnKnownFrames(client, { sizePx, contents: 48, versions: [1] });
          client.close();
          const load = startSteadyLoad({ port, streams: 8, frames, tally });
          await load.answered(100);
          const times = context.isShort ? kinds.length : rounds;
          for (let round = 0; round < times; round += 1) {
            const kind = kinds[round % kinds.length];
            if (kind !== undefined) server.order({ kind } as ServerOrder);
            const isBack = () => log.times('the engine worker is back') > round;
            await log.until(isBack, 'the engine worker was back');
            await load.answered(50);
          }
          const faults = badEnds(await load.end());
          return {
            facts: { workersLost: times, framesFailedInBand: tally.outcomes.get('failed') ?? 0 },
            faults,
          };
        },
      ),
  };
}

export const engineCrash = engineFault(
  'engine crashes',
  'worker threads of the engine throw or exit while 8 streams run; each is started again',
  { kinds: ['throw', 'exit'], rounds: 20 },
);

export const engineHang = engineFault(
  'engine hangs',
  'worker threads of the engine go deaf; the watchdog (here 1 s) gives each up and starts another',
  { kinds: ['hang'], rounds: 5, mayHoldThreads: true },
);
