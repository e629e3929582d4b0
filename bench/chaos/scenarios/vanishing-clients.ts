import { credentials, Client as GrpcClient, Metadata } from '@grpc/grpc-js';
import { connectRaw, encodeOptions } from '../../raw-client.js';
import { openCheckedStream } from '../../soak/checked-stream.js';
import { makeKnownFrames } from '../../soak/known-frames.js';
import { modelName } from '../../soak/models.js';
import { createTally } from '../../soak/tally.js';
import { openFreezingProxy } from '../freezing-proxy.js';
import type { Scenario } from '../scenario.js';
import { badEnds, startSteadyLoad } from '../steady-load.js';
import { withServer } from '../with-server.js';

const scenario = {
  name: 'vanishing clients',
  what: 'connections freeze half-open or are reset with frames on their way; keepalive (here 1 s + 5 s) finds them',
};

export const vanishingClients: Scenario = {
  ...scenario,
  run: (context) =>
    withServer(
      scenario,
      context,
      {
        engine: { kind: 'fake', runMs: 2 },
        config: { keepaliveMs: 1000, keepaliveTimeoutMs: 5000 },
      },
      async ({ server, tally }) => {
        const frames = await makeKnownFrames({ sizePx: 32 });
        const others = startSteadyLoad({ port: server.port, streams: 4, frames, tally });
        const rounds = context.isShort ? 1 : 2;
        const clients = context.isShort ? 6 : 50;
        let gone = 0;
        for (let round = 0; round < rounds; round += 1) {
          for (const how of ['freeze', 'reset'] as const) {
            const proxy = await openFreezingProxy(server.port);
            // What they would have been answered nobody will know: only the server's count does.
            const theirs = createTally();
            const before = server.log.calls.get('Classify') ?? 0;
            const opened = Array.from({ length: clients }, (_, index) => {
              const client = connectRaw(proxy.port);
              let isAnswered: () => void;
              const answered = new Promise<void>((resolve) => {
                isAnswered = resolve;
              });
              const stream = openCheckedStream(
                { streamNumber: 100 + index, inFlight: 64, goesOn: () => true },
                { client, frames, tally: theirs, onAnswer: () => isAnswered() },
              );
              return { client, stream, answered };
            });
            await Promise.all(
              opened.map(({ answered, stream }) => Promise.race([answered, stream.ended])),
            );
            proxy[how]();
            const all = () => (server.log.calls.get('Classify') ?? 0) >= before + clients;
            await server.log.until(all, 'every vanished client was found');
            gone += clients;
            for (const { client } of opened) client.close();
            await proxy.close();
            tally.crossed += theirs.crossed;
            tally.doubled += theirs.doubled;
            await others.answered(20);
          }
        }
        const faults = badEnds(await others.end());
        return { facts: { clientsVanished: gone, ...(await leaveQuickly(server.port)) }, faults };
      },
    ),
};

/** Streams that are opened and left at once, before their first answer. */
async function leaveQuickly(port: number): Promise<{ readonly streamsLeftAtOnce: number }> {
  const client = new GrpcClient(`127.0.0.1:${port}`, credentials.createInsecure());
  const asIs = (bytes: Buffer) => bytes;
  const path = '/cytostream.v1.ClassifierService/Classify';
  const streams = 200;
  for (let index = 0; index < streams; index += 1) {
    const stream = client.makeBidiStreamRequest(path, asIs, asIs, new Metadata());
    stream.on('error', () => {});
    const ended = new Promise((resolve) => stream.once('status', resolve));
    stream.write(encodeOptions({ model: modelName }));
    if (index % 2 === 0) await new Promise(setImmediate);
    stream.cancel();
    await ended;
  }
  client.close();
  return { streamsLeftAtOnce: streams };
}
