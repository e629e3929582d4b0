import { once } from 'node:events';
import http2 from 'node:http2';
import { setTimeout } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { ClassifyRequest } from '../../src/gen/cytostream/v1/classifier.js';
import { toWireFrame } from '../../src/rpc/wire/frame.js';
import { certificateOrSkip } from '../certificate.js';
import { openTestPort, tinyFrame } from './fakes.js';

const MiB = 1024 * 1024;

test.serial('a client sees the large windows on the wire', async (t) => {
  const { address } = await openTestPort(t, {}, { windowBytes: MiB });
  const session = http2.connect(`http://${address}`);
  t.teardown(() => session.close());
  const [settings] = (await once(session, 'remoteSettings')) as [http2.Settings];
  t.is(settings.initialWindowSize, MiB);
  t.is(settings.maxFrameSize, MiB);
  t.is(settings.maxConcurrentStreams, 1000);
  // The connection's window comes in a frame of its own, after the settings.
  await new Promise((resolve) => session.ping(resolve));
  t.is(session.state.remoteWindowSize, 4 * MiB);
});

test.serial('a client sees the large windows over TLS as well', async (t) => {
  const tls = await certificateOrSkip(t);
  if (tls === null) return;
  const { rpc } = await openTestPort(t, {}, { tls, windowBytes: MiB });
  const session = http2.connect(`https://localhost:${rpc.port}`, { ca: tls.cert });
  t.teardown(() => session.close());
  const [settings] = (await once(session, 'remoteSettings')) as [http2.Settings];
  t.is(settings.initialWindowSize, MiB);
  t.is(settings.maxFrameSize, MiB);
  await new Promise((resolve) => session.ping(resolve));
  t.is(session.state.remoteWindowSize, 4 * MiB);
});

/** How many frames of a size a server takes whose handler is stuck with the first of them. */
async function takenBeforeStall(t: ExecutionContext, frameBytes: number): Promise<number> {
  const stuck = { acquire: () => new Promise<never>(() => {}) };
  const { address } = await openTestPort(t, { lender: stuck }, { windowBytes: MiB });
  const session = http2.connect(`http://${address}`);
  t.teardown(() => session.destroy());
  await once(session, 'remoteSettings');
  await new Promise((resolve) => session.ping(resolve));
  const request = session.request({
    ':method': 'POST',
    ':path': '/cytostream.v1.ClassifierService/Classify',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  request.on('error', () => {});
  const bytes = Buffer.alloc(frameBytes - 100);
  const frame = { ...tinyFrame('a'), planes: [{ channel: 'protein', bytes }] };
  const body = ClassifyRequest.encode({
    message: { $case: 'frame', value: toWireFrame(frame) },
  }).finish();
  const message = Buffer.concat([Buffer.alloc(5), body]);
  message.writeUInt32BE(body.length, 1);
  const write = () =>
    new Promise<'taken'>((resolve) => request.write(message, () => resolve('taken')));
  // A stall is an event that does not come: two seconds without one.
  const stall = () => setTimeout(2000, 'stalled' as const);
  let taken = 0;
  while (taken < 100 && (await Promise.race([write(), stall()])) === 'taken') taken += 1;
  return taken;
}

test.serial('a stream that nobody reads takes what is read ahead and its window', async (t) => {
  const taken = await takenBeforeStall(t, 64 * 1024);
  // The first message, the 16 that grpc-js reads ahead, one in hand, and 1 MiB of window.
  t.true(taken > 20, `64 KiB windows would take fewer than ${taken}`);
  t.true(taken <= 1 + 16 + 1 + 16 + 1, `expected the sender to stall, but ${taken} went`);
});

test.serial('of large messages fewer are read ahead', async (t) => {
  const taken = await takenBeforeStall(t, MiB);
  // The first message, 4 MiB ahead, one in hand, and 1 MiB of window.
  t.true(taken <= 1 + 4 + 1 + 1 + 1, `expected the sender to stall, but ${taken} MiB went`);
});

test.serial('the functions of node:http2 are put back once the port is open', async (t) => {
  const before = { plain: http2.createServer, secure: http2.createSecureServer };
  await Promise.all([openTestPort(t), openTestPort(t), openTestPort(t)]);
  t.is(http2.createServer, before.plain);
  t.is(http2.createSecureServer, before.secure);
});

test.serial('ports that open at the same time get each their own window', async (t) => {
  const sizes = [MiB, 2 * MiB, 3 * MiB];
  const ports = await Promise.all(sizes.map((windowBytes) => openTestPort(t, {}, { windowBytes })));
  const seen = ports.map(async ({ address }) => {
    const session = http2.connect(`http://${address}`);
    t.teardown(() => session.destroy());
    const [settings] = await once(session, 'remoteSettings');
    return (settings as http2.Settings).initialWindowSize;
  });
  t.deepEqual(await Promise.all(seen), sizes);
});
