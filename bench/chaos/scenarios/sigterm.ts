import { join } from 'node:path';
import { type Client, connect } from '../../../src/client/index.js';
import { DomainError } from '../../../src/errors.js';
import { writeSimulatedDataset } from '../../../src/simulator/index.js';
import { connectRaw, encodeOptions } from '../../raw-client.js';
import { frameId, type KnownFrames, learnKnownFrames } from '../../soak/known-frames.js';
import { modelName } from '../../soak/models.js';
import { createTally } from '../../soak/tally.js';
import { openDeafStream } from '../deaf-stream.js';
import { openFreezingProxy } from '../freezing-proxy.js';
import type { Scenario } from '../scenario.js';
import { startSteadyLoad } from '../steady-load.js';
import { withServer } from '../with-server.js';

const scenario = {
  name: 'SIGTERM',
  what: 'in the middle of everything: streams of each kind, unary calls, deaf, frozen and idle clients, and a training',
};

const sizePx = 40;
const graceMs = 8000;
/** Nothing but the end of the process itself may come after the grace. */
const mostMs = graceMs + 1000;
const unaryCallers = 8;
/** Calls of one frame that have their answer before the signal; the callers go on. */
const leastUnary = 20;

export const sigterm: Scenario = {
  ...scenario,
  run: (context) =>
    withServer(
      scenario,
      context,
      {
        engine: { kind: 'serve' },
        sizePx,
        config: { batchSizes: '1,2,4,8', graceMs },
        isAlwaysServing: false,
      },
      async ({ server, tally }) => {
        const { port } = server;
        const dataPath = join(context.folder, 'cells');
        await writeSimulatedDataset(dataPath, { frameCount: 8, sizePx: 64, seed: 1 });
        const client = connect(`127.0.0.1:${port}`);
        const frames = await learnKnownFrames(client, { sizePx, contents: 32, versions: [1] });
        // First, since it makes room for frames: beside the load it would take long to begin.
        const training = trainToTheEnd(client, dataPath);
        await training.isTraining;
        const load = startSteadyLoad({
          port,
          streams: 12,
          inFlight: 64,
          frames,
          tally,
          optionsOf: (stream) => ({
            overflow: (['block', 'dropOldest', 'latestOnly'] as const)[stream % 3] ?? 'block',
            delivery: stream % 2 === 0 ? 'asCompleted' : 'inOrder',
          }),
        });
        const options = encodeOptions({ model: modelName });
        const deaf = openDeafStream(port, options, (number) =>
          frames.encode(frameId(1000, number), number % frames.contents),
        );
        const proxy = await openFreezingProxy(port);
        const frozen = startSteadyLoad({
          port: proxy.port,
          streams: 2,
          frames,
          tally: createTally(),
        });
        const idle = connectRaw(port);
        const idleStreams = Array.from({ length: 20 }, () => idle.openStream());
        for (const stream of idleStreams) {
          stream.on('error', () => {});
          stream.write(options);
        }
        const unary = callOneByOne(client, frames);
        await Promise.all([load.answered(200), frozen.answered(20), unary.answered(leastUnary)]);
        proxy.freeze();
        const end = await server.stop();
        const codes = await load.ended;
        const unaryCodes = await unary.ended;
        await training.ended;
        deaf.destroy();
        await proxy.close();
        await frozen.ended;
        idle.close();
        client.close();
        // Its last line may come behind the exit; one that never comes is a fault below.
        await server.log.until((log) => log.shutdownMs !== null, 'it shut down').catch(() => {});
        const { shutdownMs } = server.log;
        const strange = [...new Set(unaryCodes)].filter(
          (code) => !['draining', 'not_ready'].includes(code),
        );
        return {
          facts: {
            endedAfterMs: Math.round(end.ms),
            shutdownMs: shutdownMs ?? 'not told',
            graceMs,
            streamsTold: codes.length,
            unaryAnswered: unary.counts.ok,
            unaryOverloaded: unary.counts.overloaded,
            unaryCallersTold: unaryCodes.length,
          },
          seen: `Ended after ${(end.ms / 1000).toFixed(1)} s of a grace of ${graceMs / 1000} s`,
          faults: [
            ...(shutdownMs === null || shutdownMs > graceMs
              ? [`expected a shutdown within ${graceMs} ms, the server says ${shutdownMs}`]
              : []),
            ...(end.ms > mostMs ? [`the process ended after ${end.ms.toFixed(0)} ms`] : []),
            // UNAVAILABLE: send the rest to another.
            ...codes.filter((code) => code !== 14).map((code) => `a stream ended with ${code}`),
            ...strange.map((code) => `a unary call failed with ${code}`),
          ],
        };
      },
    ),
};

/** Callers of one frame after the other, each until the server is gone. */
function callOneByOne(client: Client, frames: KnownFrames) {
  const counts = { ok: 0, overloaded: 0 };
  const waiting = new Map<() => void, number>();
  const callOn = async (caller: number): Promise<string> => {
    for (let number = 0; ; number += 1) {
      const frame = frames.frame(frameId(8888 + caller, number), number % frames.contents);
      const code = await client.classifyFrame(frame).then(
        () => 'ok' as const,
        (thrown: unknown) => DomainError.from(thrown).code,
      );
      if (code !== 'ok' && code !== 'overloaded') return code;
      counts[code] += 1;
      for (const [tell, wanted] of waiting) if (counts.ok >= wanted) tell();
    }
  };
  return {
    counts,
    /** Resolves with the first so many answers. */
    answered: (wanted: number) => new Promise<void>((tell) => waiting.set(tell, wanted)),
    /** With what each was told in the end. */
    ended: Promise.all(Array.from({ length: unaryCallers }, (_, caller) => callOn(caller))),
  };
}

/** Follows a training without end. */
function trainToTheEnd(client: ReturnType<typeof connect>, dataPath: string) {
  let tellTraining: () => void = () => {};
  const isTraining = new Promise<void>((resolve) => {
    tellTraining = resolve;
  });
  const follow = async () => {
    const spec = { dataPath, model: 'other', epochs: 10_000, patience: 10_000, batchSize: 2 };
    for await (const { kind } of client.train(spec)) if (kind === 'step') tellTraining();
  };
  // The server ends it, with `draining`.
  return { isTraining, ended: follow().catch(() => {}) };
}
