import { once } from 'node:events';
import http2 from 'node:http2';
import test from 'ava';
import { openTestPort } from './fakes.js';

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
    const message = Buffer.alloc(64 * 1024);
    message.writeUInt32BE(message.length - 5, 1);
    let accepted = 0;
    for (let sent = 0; sent < 100; sent += 1) {
      request.write(message, (error) => {
        if (!error) accepted += 1;
      });
    }
    // Settled when a few round trips bring nothing more.
    for (let before = -1, quiet = 0; quiet < 5; before = accepted) {
      await new Promise((resolve) => session.ping(resolve));
      quiet = accepted === before ? quiet + 1 : 0;
    }
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
