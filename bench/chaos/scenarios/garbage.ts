import { once } from 'node:events';
import { connect } from 'node:net';
import { createRandom, type Random } from '../../../src/simulator/index.js';
import { makeKnownFrames } from '../../soak/known-frames.js';
import type { Scenario } from '../scenario.js';
import { badEnds, startSteadyLoad } from '../steady-load.js';
import { withServer } from '../with-server.js';

const scenario = {
  name: 'garbage on the ports',
  what: 'random bytes, other protocols and broken HTTP/2 on both ports while 4 streams run',
};

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const emptySettings = http2Frame(4, 0, 0, Buffer.alloc(0));

/** Things that are no gRPC, and some that nearly are. */
const makers: Readonly<Record<string, (random: Random) => Buffer>> = {
  'random bytes': (random) => noise(random, random.whole(1, 20_000)),
  nothing: () => Buffer.alloc(0),
  'HTTP/1': () => Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
  'a huge HTTP/1 header': () => Buffer.from(`GET / HTTP/1.1\r\nX: ${'x'.repeat(200_000)}\r\n\r\n`),
  'half a request': () => Buffer.from('POST /cytostream'),
  'a TLS hello': (random) =>
    Buffer.concat([Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]), noise(random, 509)]),
  'half a preface': () => preface.subarray(0, 12),
  'a preface, then noise': (random) => Buffer.concat([preface, noise(random, 5000)]),
  'random HTTP/2 frames': (random) =>
    Buffer.concat([
      preface,
      emptySettings,
      ...Array.from({ length: 50 }, () =>
        http2Frame(
          random.whole(0, 12),
          random.whole(0, 255),
          random.whole(0, 9),
          noise(random, random.whole(0, 400)),
        ),
      ),
    ]),
  'a flood of pings': () =>
    Buffer.concat([
      preface,
      emptySettings,
      ...Array.from({ length: 2000 }, () => http2Frame(6, 0, 0, Buffer.alloc(8))),
    ]),
  'a flood of settings': () =>
    Buffer.concat([preface, ...Array.from({ length: 2000 }, () => emptySettings)]),
  'headers without end': () =>
    Buffer.concat([
      preface,
      emptySettings,
      http2Frame(1, 0, 1, Buffer.alloc(10, 0x82)),
      ...Array.from({ length: 500 }, () => http2Frame(9, 0, 1, Buffer.alloc(1000, 0x82))),
    ]),
  'streams that are reset at once': () =>
    Buffer.concat([
      preface,
      emptySettings,
      ...Array.from({ length: 500 }, (_, index) => {
        const id = 2 * index + 1;
        // :method POST, :scheme http, :path / from the static table.
        const headers = http2Frame(1, 4, id, Buffer.from([0x83, 0x86, 0x84]));
        return Buffer.concat([headers, http2Frame(3, 0, id, Buffer.from([0, 0, 0, 8]))]);
      }),
    ]),
};

export const garbage: Scenario = {
  ...scenario,
  run: (context) =>
    withServer(
      scenario,
      context,
      { engine: { kind: 'fake', runMs: 0 } },
      async ({ server, tally }) => {
        const frames = await makeKnownFrames({ sizePx: 32 });
        const others = startSteadyLoad({ port: server.port, streams: 4, frames, tally });
        const random = createRandom(1);
        const rounds = context.isShort ? 1 : 50;
        let connections = 0;
        for (let round = 0; round < rounds; round += 1) {
          const sent = Object.values(makers).flatMap((make) =>
            [server.port, server.httpPort].map((port) => throwAt(port, make(random))),
          );
          connections += sent.length;
          await others.answered(50);
          for (const one of sent) (await one).leave();
        }
        await others.answered(100);
        return { facts: { connections }, faults: badEnds(await others.end()) };
      },
    ),
};

/** Connects and writes; the server may close, or wait for more until we leave. */
async function throwAt(port: number, bytes: Buffer): Promise<{ leave(): void }> {
  const socket = connect(port, '127.0.0.1');
  // The server may reset it: that is its right.
  socket.on('error', () => {});
  socket.resume();
  const isOver = Promise.race([once(socket, 'close'), once(socket, 'connect')]);
  await isOver.catch(() => {});
  socket.write(bytes);
  return { leave: () => socket.destroy() };
}

function noise(random: Random, length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, () => random.whole(0, 255)));
}

function http2Frame(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}
