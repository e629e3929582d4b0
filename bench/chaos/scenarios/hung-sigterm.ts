import { once } from 'node:events';
import { connect } from '../../../src/client/index.js';
import { learnKnownFrames } from '../../soak/known-frames.js';
import { sum } from '../../soak/tally.js';
import type { Scenario } from '../scenario.js';
import { startSteadyLoad } from '../steady-load.js';
import { withServer } from '../with-server.js';

const scenario = {
  name: 'SIGTERM while the engine hangs',
  what: 'every worker of the engine goes deaf for good, the watchdog is far off; 6 streams wait when the signal comes',
};

const sizePx = 40;
const graceMs = 3000;
/** Nothing but the end of the process itself may come after the grace. */
const mostMs = graceMs + 1000;
/** In which a worker looks for its fault, and a batch runs that it had before. */
const untilDeafMs = 300;

export const hungSigterm: Scenario = {
  ...scenario,
  run: (context) =>
    withServer(
      scenario,
      context,
      {
        engine: { kind: 'breakable', runTimeoutMs: 120_000 },
        sizePx,
        config: { batchSizes: '1,2', graceMs },
        isAlwaysServing: false,
        mayHoldThreads: true,
      },
      async ({ server, tally }) => {
        const { port, log } = server;
        const client = connect(`127.0.0.1:${port}`);
        const frames = await learnKnownFrames(client, { sizePx, contents: 16, versions: [1] });
        client.close();
        const load = startSteadyLoad({
          port,
          streams: 6,
          frames,
          tally,
          optionsOf: (stream) => ({
            overflow: (['block', 'dropOldest', 'latestOnly'] as const)[stream % 3] ?? 'block',
            delivery: stream % 2 === 0 ? 'asCompleted' : 'inOrder',
          }),
        });
        await load.answered(50);
        // One order for each worker, of which there are two at most.
        server.order({ kind: 'hang' });
        server.order({ kind: 'hang' });
        await once(AbortSignal.timeout(untilDeafMs), 'abort');
        const end = await server.stop();
        const codes = await load.ended;
        await log.until(({ shutdownMs }) => shutdownMs !== null, 'it shut down').catch(() => {});
        const { shutdownMs } = log;
        const failed = tally.outcomes.get('failed') ?? 0;
        const told = sum(tally.outcomes);
        return {
          facts: {
            endedAfterMs: Math.round(end.ms),
            shutdownMs: shutdownMs ?? 'not told',
            graceMs,
            framesFailedInBand: failed,
          },
          seen: `Ended after ${(end.ms / 1000).toFixed(1)} s of a grace of ${graceMs / 1000} s`,
          faults: [
            ...(shutdownMs === null || shutdownMs > graceMs
              ? [`expected a shutdown within ${graceMs} ms, the server says ${shutdownMs}`]
              : []),
            ...(end.ms > mostMs ? [`the process ended after ${end.ms.toFixed(0)} ms`] : []),
            ...(log.times('the engine hangs and is abandoned') === 1
              ? []
              : ['the log does not say that the engine was abandoned']),
            ...(failed > 0 ? [] : ['no frame was with the engine when it hung']),
            ...(told === log.admitted
              ? []
              : [`${log.admitted} frames were admitted, ${told} were told how they ended`]),
            // UNAVAILABLE: send the rest to another.
            ...codes.filter((code) => code !== 14).map((code) => `a stream ended with ${code}`),
          ],
        };
      },
    ),
};
