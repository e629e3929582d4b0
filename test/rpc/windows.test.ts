import { once } from 'node:events';
import http2 from 'node:http2';
import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import { ClassifyRequest } from '../../src/gen/cytostream/v1/classifier.js';
import { toWireFrame } from '../../src/rpc/wire/frame.js';
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

test.serial(
  'a stream that nobody reads takes no more than its window and what is read ahead',
  async (t) => {
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
    // Whole messages of 64 KiB; the handler takes the first and then waits for its model.
    const frame = {
      ...tinyFrame('a'),
      planes: [{ channel: 'protein', bytes: Buffer.alloc(65_450) }],
    };
    const body = ClassifyRequest.encode({
      message: { $case: 'frame', value: toWireFrame(frame) },
    }).finish();
    const message = Buffer.concat([Buffer.alloc(5), body]);
    message.writeUInt32BE(body.length, 1);
    const write = () =>
      new Promise<'taken'>((resolve) => request.write(message, () => resolve('taken')));
    // A stall is an event that does not come: half a second without one.
    const stall = () => setTimeout(500, 'stalled' as const);
    let accepted = 0;
    while (accepted < 100 && (await Promise.race([write(), stall()])) === 'taken') accepted += 1;
    // The first message, the 16 that grpc-js reads ahead, one in hand, and 1 MiB of window.
    t.true(accepted >= 16, `64 KiB windows would take fewer than ${accepted}`);
    t.true(accepted <= 1 + 16 + 1 + 16 + 1, `expected the sender to stall, but ${accepted} went`);
  },
);

test.serial('the functions of node:http2 are put back once the port is open', async (t) => {
  const before = { plain: http2.createServer, secure: http2.createSecureServer };
  await Promise.all([openTestPort(t), openTestPort(t), openTestPort(t)]);
  t.is(http2.createServer, before.plain);
  t.is(http2.createSecureServer, before.secure);
});
