import test from 'ava';
import { connectRaw } from '../../bench/raw-client.js';
import { openCheckedStream } from '../../bench/soak/checked-stream.js';
import { frameId, makeKnownFrames } from '../../bench/soak/known-frames.js';
import { runSoak } from '../../bench/soak/run-soak.js';
import { createTally } from '../../bench/soak/tally.js';
import { versionedProbabilities } from '../../bench/soak/versioned-engine.js';
import { hpaChannels } from '../../src/frames/index.js';
import type { HandleLike } from '../../src/rpc/index.js';
import { openTestPort } from '../rpc/fakes.js';

const hourMs = 3_600_000;

for (const [kind, frames, sizePx] of [
  ['fake', 20_000, 32],
  ['real', 400, 40],
] as const) {
  test.serial(`${frames} frames through the ${kind} engine: none lost, none crossed`, async (t) => {
    // Neither lasts long enough for V8's heap to have grown to its working size.
    const result = await runSoak({ kind, frames, sizePx, forMs: hourMs, asksForMemory: false });
    t.deepEqual(result.outcomes, { ok: frames });
    t.deepEqual(result.faults, []);
    t.is(result.admitted, frames);
    t.is(result.lost + result.doubled + result.crossed, 0);
    t.true(result.memory.endMib > 0);
  });
}

/** Runs ten known frames through a port whose classifier makes a mistake on purpose. */
async function tallyOf(
  t: Parameters<typeof openTestPort>[0],
  mistake: (number: number) => { readonly number: number; readonly version?: number },
) {
  const sizePx = 4;
  const frames = await makeKnownFrames({ sizePx, contents: 10 });
  const { rpc } = await openTestPort(t, {
    classifier: {
      classify: async ({ id }, handle: HandleLike) => {
        const { version } = handle.manifest;
        const made = mistake(Number(id.slice(5)));
        return {
          frameId: id,
          probabilities: versionedProbabilities(
            frames.pixels(made.number),
            28,
            made.version ?? version,
          ),
          labelIndices: [],
          version,
          batchSize: 1,
          qualityFlags: [],
          timings: { prepareMs: 0, queueMs: 0, runMs: 0 },
        };
      },
    },
  });
  const client = connectRaw(rpc.port);
  t.teardown(() => client.close());
  const tally = createTally();
  const { ended } = openCheckedStream(
    { streamNumber: 3, inFlight: 4, goesOn: (sent) => sent < 10 },
    { client, frames, tally },
  );
  t.is((await ended).code, 0);
  return tally;
}

test('frames answered as they should be are counted as such', async (t) => {
  const tally = await tallyOf(t, (number) => ({ number }));
  t.deepEqual(
    { ...tally, outcomes: [...tally.outcomes] },
    {
      sent: 10,
      outcomes: [['ok', 10]],
      lost: 0,
      doubled: 0,
      crossed: 0,
    },
  );
});

test("an answer of another frame's pixels counts as crossed", async (t) => {
  t.is((await tallyOf(t, (number) => ({ number: (number + 1) % 10 }))).crossed, 10);
});

test('an answer of another version than the one it names counts as crossed', async (t) => {
  const tally = await tallyOf(t, (number) => ({ number, version: number === 4 ? 2 : 1 }));
  t.is(tally.crossed, 1);
});

test('all ids of a stream have the same length, and planes are told apart', async (t) => {
  t.is(frameId(3, 7).length, frameId(9999, 9_999_999_999).length);
  const frames = await makeKnownFrames({ sizePx: 4, contents: 2 });
  t.is(frames.frame('a', 1).planes.length, hpaChannels.length);
  t.notDeepEqual(frames.frame('a', 0), frames.frame('a', 1));
});
