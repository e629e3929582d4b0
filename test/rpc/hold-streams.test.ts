import { once } from 'node:events';
import http2 from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import { holdStreams } from '../../src/rpc/hold-streams.js';

test('a stream opens and ends when whoever holds them lets it', async (t) => {
  const held: (() => void)[] = [];
  let tellHeld = () => {};
  const holds = () =>
    new Promise<void>((resolve) => {
      tellHeld = resolve;
    });
  const server = http2.createServer({});
  holdStreams(server, (path, work) => {
    if (path !== '/somewhere') {
      work();
      return true;
    }
    held.push(work);
    tellHeld();
    return false;
  });
  const heard: string[] = [];
  server.on('stream', (stream) => {
    heard.push('stream');
    stream.on('close', () => heard.push('close')).on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // of TCP it is never a string
  const session = http2.connect(`http://127.0.0.1:${port}`);
  t.teardown(() => {
    session.destroy();
    server.close();
  });
  const open = async () => {
    const came = holds();
    const stream = session.request({ ':path': '/somewhere', ':method': 'POST' });
    stream.on('error', () => {});
    await came;
    return stream;
  };
  const reset = async (stream: http2.ClientHttp2Stream) => {
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await once(stream, 'close');
    // What the client sent before it has come when the answer to a later ping has.
    await new Promise((resolve) => session.ping(resolve));
  };

  const stream = await open();
  t.deepEqual(heard, []);
  held.shift()?.();
  t.deepEqual(heard, ['stream']);
  await reset(stream);
  t.deepEqual(heard, ['stream'], 'it has ended, and nobody has heard of it');
  for (let work = held.shift(); work !== undefined; work = held.shift()) {
    work();
    await setTimeout(0); // what it leads to may be held as well
  }
  t.deepEqual(heard, ['stream', 'close']);

  await reset(await open());
  for (const work of held) work();
  t.deepEqual(heard, ['stream', 'close'], 'of one that left meanwhile nobody hears');
});

test('a connection that is gone ends its streams when whoever holds them lets it', async (t) => {
  const held: (() => void)[] = [];
  let tellHeld = () => {};
  const holds = new Promise<void>((resolve) => {
    tellHeld = resolve;
  });
  const server = http2.createServer({});
  holdStreams(server, (path, work) => {
    if (path !== null) {
      work();
      return true;
    }
    held.push(work);
    tellHeld();
    return false;
  });
  let ended = 0;
  server.on('stream', (stream) => {
    stream.respond({ ':status': 200 });
    stream.on('error', () => {});
    stream.on('close', () => {
      ended += 1;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo; // of TCP it is never a string
  const socket = connect(port, '127.0.0.1');
  const session = http2.connect(`http://127.0.0.1:${port}`, { createConnection: () => socket });
  session.on('error', () => {});
  const streams = Array.from({ length: 3 }, () => {
    const stream = session.request({ ':path': '/somewhere', ':method': 'POST' });
    return stream.on('error', () => {});
  });
  await Promise.all(streams.map((stream) => once(stream, 'response')));
  socket.destroy();
  await holds;
  await setTimeout(50);
  t.is(ended, 0, 'its streams go on');
  const endedAfterEach: number[] = [];
  for (const work of held) {
    work();
    await setTimeout(10); // it leads to events of the stream
    endedAfterEach.push(ended);
  }
  t.deepEqual(endedAfterEach.slice(0, 3), [1, 2, 3], 'each on its own');
});
