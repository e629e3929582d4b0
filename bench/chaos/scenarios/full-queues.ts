import { connect } from '../../../src/client/index.js';
import { DomainError } from '../../../src/errors.js';
import { frameId, makeKnownFrames } from '../../soak/known-frames.js';
import { residentMib } from '../../soak/memory.js';
import type { Scenario } from '../scenario.js';
import { badEnds, startSteadyLoad } from '../steady-load.js';
import { withServer } from '../with-server.js';

const scenario = {
  name: 'full queues',
  what: '24 streams send much faster than the engine runs into a queue of 32 frames, unary calls beside them',
};

export const fullQueues: Scenario = {
  ...scenario,
  run: (context) =>
    withServer(
      scenario,
      context,
      {
        engine: { kind: 'fake', runMs: 5 },
        config: { maxQueuedFrames: 32, maxStreamFrames: 8, batchSizes: '1,2,4' },
      },
      async ({ server, tally }) => {
        const { port, pid } = server;
        const frames = await makeKnownFrames({ sizePx: 32 });
        const beforeMib = residentMib(pid);
        const load = startSteadyLoad({
          port,
          streams: 24,
          frames,
          tally,
          inFlight: 256,
          optionsOf: (stream) => ({
            overflow: (['block', 'dropOldest', 'latestOnly'] as const)[stream % 3] ?? 'block',
            priority: (['high', 'normal', 'low'] as const)[Math.floor(stream / 3) % 3] ?? 'normal',
            delivery: stream % 2 === 0 ? 'asCompleted' : 'inOrder',
          }),
        });
        await load.answered(50);
        const unary = context.isShort ? 60 : 600;
        const codes = await callOneByOne(port, unary, (index) =>
          frames.frame(frameId(9999, index), index % frames.contents),
        );
        await load.answered(context.isShort ? 500 : 3000);
        const faults = badEnds(await load.end());
        const strange = [...codes.keys()].filter((code) => code !== 'ok' && code !== 'overloaded');
        return {
          facts: {
            unaryAnswered: codes.get('ok') ?? 0,
            unaryRefusedAsOverloaded: codes.get('overloaded') ?? 0,
            memoryGrewMib: Math.round(residentMib(pid) - beforeMib),
          },
          faults: [...faults, ...strange.map((code) => `a unary call failed with ${code}`)],
        };
      },
    ),
};

/** Unary calls, eight at a time; how many ended with each code. */
async function callOneByOne(
  port: number,
  calls: number,
  frameOf: (index: number) => Parameters<ReturnType<typeof connect>['classifyFrame']>[0],
): Promise<ReadonlyMap<string, number>> {
  const client = connect(`127.0.0.1:${port}`);
  const codes = new Map<string, number>();
  let next = 0;
  const caller = async () => {
    for (let index = next++; index < calls; index = next++) {
      const code = await client.classifyFrame(frameOf(index), { priority: 'low' }).then(
        () => 'ok',
        (thrown: unknown) => DomainError.from(thrown).code,
      );
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 8 }, caller));
  client.close();
  return codes;
}
