import { createHistogram } from 'node:perf_hooks';
import { connect } from '../../../src/client/index.js';
import { learnKnownFrames } from '../../soak/known-frames.js';
import { modelName } from '../../soak/models.js';
import type { Scenario } from '../scenario.js';
import { badEnds, startSteadyLoad } from '../steady-load.js';
import { withServer } from '../with-server.js';

const scenario = {
  name: 'hot swap',
  what: 'seed-cnn is promoted and rolled back again and again while 8 streams run',
};

export const hotSwap: Scenario = {
  ...scenario,
  run: (context) => {
    const sizePx = context.isShort ? 40 : 128;
    return withServer(
      scenario,
      context,
      {
        engine: { kind: 'serve' },
        sizePx,
        versions: 2,
        ...(context.isShort ? { config: { batchSizes: '1,2,4' } } : {}),
      },
      async ({ server, tally }) => {
        const { port } = server;
        const client = connect(`127.0.0.1:${port}`);
        const frames = await learnKnownFrames(client, { sizePx, contents: 32, versions: [1, 2] });
        const [calm, swapping] = [createHistogram(), createHistogram()];
        let isSwapping = false;
        let swappedAtMs = 0;
        /** Since when every frame that is sent must be answered by this version. */
        let since = { atMs: Number.POSITIVE_INFINITY, version: 0 };
        let misanswered = 0;
        const load = startSteadyLoad({
          port,
          streams: 8,
          inFlight: 4,
          frames,
          tally,
          onAnswer: ({ sentAtMs, atMs, version }) => {
            if (sentAtMs > since.atMs && version !== since.version) misanswered += 1;
            const us = Math.round((atMs - sentAtMs) * 1000);
            const isMetBySwap = isSwapping || sentAtMs < swappedAtMs;
            (isMetBySwap ? swapping : calm).record(Math.max(1, us));
          },
        });
        await load.answered(context.isShort ? 50 : 500);
        calm.reset(); // a server that has just started is not what is compared with
        const swaps = context.isShort ? 2 : 8;
        const faults: string[] = [];
        let longestSwapMs = 0;
        for (let swap = 0; swap < swaps; swap += 1) {
          const wanted = swap % 2 === 0 ? 2 : 1;
          isSwapping = true;
          since = { atMs: Number.POSITIVE_INFINITY, version: 0 };
          const startedAtMs = performance.now();
          const { version } =
            wanted === 2 ? await client.promote(modelName, 2) : await client.rollback(modelName);
          since = { atMs: performance.now(), version: wanted };
          longestSwapMs = Math.max(longestSwapMs, since.atMs - startedAtMs);
          isSwapping = false;
          swappedAtMs = since.atMs;
          if (version !== wanted) faults.push(`expected version ${wanted} live, got ${version}`);
          await load.answered(context.isShort ? 80 : 400);
        }
        client.close();
        faults.push(...badEnds(await load.end()));
        if (misanswered > 0)
          faults.push(`${misanswered} frames got a version that was live before`);
        const p99 = (times: typeof calm) => Number((times.percentile(99) / 1000).toFixed(1));
        return {
          facts: {
            swaps,
            p99DuringSwapsMs: p99(swapping),
            p99OtherwiseMs: p99(calm),
            longestAnswerMs: Number((Math.max(swapping.max, calm.max) / 1000).toFixed(1)),
            longestSwapMs: Math.round(longestSwapMs),
          },
          seen: `p99 of frames that a swap met ${p99(swapping).toFixed(0)} ms, of the others ${p99(calm).toFixed(0)} ms; a swap takes ${longestSwapMs.toFixed(0)} ms at most`,
          faults,
        };
      },
    );
  },
};
