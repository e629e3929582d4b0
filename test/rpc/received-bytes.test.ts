import test from 'ava';
import { type Client, connect } from '../../src/client/index.js';
import type { DomainError } from '../../src/errors.js';
import type { Frame } from '../../src/frames/index.js';
import type { Overflow } from '../../src/rpc/wire/enums.js';
import { createPuppetClassifier, createTestLender, openTestPort, tinyFrame } from './fakes.js';

const MiB = 1024 * 1024;

/** Frames whose four planes are 1 MiB together; the puppet does not look at them. */
function largeFrames(stream: number, count: number): Frame[] {
  const bytes = Buffer.alloc(MiB / 4);
  return Array.from({ length: count }, (_, at) => {
    const frame = tinyFrame(`${stream}/${at}`);
    return { ...frame, planes: frame.planes.map((plane) => ({ ...plane, bytes })) };
  });
}

/** Streams the frames; every answer is told. Resolves when the stream has ended. */
async function send(
  client: Client,
  overflow: Overflow,
  frames: readonly Frame[],
  onAnswer: (frameId: string, outcome: string) => void,
): Promise<void> {
  for await (const reply of client.classify({ overflow }, frames)) {
    if (reply.kind === 'prediction') onAnswer(reply.prediction.frameId, reply.prediction.outcome);
  }
}

for (const overflow of ['dropOldest', 'latestOnly'] as const) {
  test(`${overflow}: large frames of streams that are not answered keep within the bounds in bytes`, async (t) => {
    const puppet = createPuppetClassifier();
    const limits = { maxReceivedBytes: 10 * MiB, maxStreamBytes: 4 * MiB };
    const port = await openTestPort(t, { classifier: puppet.classifier }, limits);
    const [streamCount, frameCount] = [4, 12];
    const outcomes = new Map<string, string[]>();
    let shed = 0;
    let tellShed = () => {};
    // What the bounds do not let in, and a frame a stream beyond them, has to go.
    const mostHeld = 10 + streamCount;
    const allShed = new Promise<void>((resolve) => {
      tellShed = resolve;
    });
    const streams = Array.from({ length: streamCount }, (_, stream) =>
      send(port.client, overflow, largeFrames(stream, frameCount), (id, outcome) => {
        outcomes.set(id, [...(outcomes.get(id) ?? []), outcome]);
        shed += outcome === 'ok' ? 0 : 1;
        if (shed >= streamCount * frameCount - mostHeld) tellShed();
      }),
    );
    await allShed;
    const held = await receivedBytes(port);
    t.true(held >= streamCount * MiB, `${held} bytes were held`);
    t.true(held <= mostHeld * 1.001 * MiB, `${held} bytes were held`);
    // The frames that wait become active as those before them are answered.
    for (let at = 0; at < puppet.calls.length; at += 1) {
      puppet.calls[at]?.answer();
      if (at + 1 === puppet.calls.length) await Promise.race([puppet.came(at + 2), ...streams]);
    }
    await Promise.all(streams);
    t.is(outcomes.size, streamCount * frameCount);
    t.true([...outcomes.values()].every((each) => each.length === 1));
    // The newest of each stream was let in, or went only because nothing older waited.
    t.true(
      [...outcomes.values()].flat().filter((outcome) => outcome === 'ok').length >= streamCount,
    );
    t.is(await receivedBytes(port), 0);
  });
}

for (const overflow of ['dropOldest', 'latestOnly'] as const) {
  test(`${overflow}: nothing that waits goes for a frame that has no room all the same`, async (t) => {
    const puppet = createPuppetClassifier();
    const limits = { maxReceivedBytes: MiB, maxInFlight: 3 };
    const port = await openTestPort(t, { classifier: puppet.classifier }, limits);
    const small = ['a', 'b', 'c'].map((id) => tinyFrame(id));
    const outcomes: (readonly [string, string])[] = [];
    let tellFirst = () => {};
    const first = new Promise<void>((resolve) => {
      tellFirst = resolve;
    });
    const frames = [...small, ...largeFrames(0, 1)];
    const stream = send(port.client, overflow, frames, (id, outcome) => {
      outcomes.push([id, outcome]);
      tellFirst();
    });
    await first;
    t.deepEqual(outcomes, [['0/0', 'shed']]);
    for (let at = 0; at < small.length; at += 1) {
      await puppet.came(at + 1);
      puppet.calls[at]?.answer();
    }
    await stream;
    t.deepEqual(
      outcomes.slice(1),
      small.map(({ id }) => [id, 'ok']),
    );
  });
}

test('a frame that waits for room on the port is answered at its deadline, while nothing else is', async (t) => {
  const puppet = createPuppetClassifier();
  const limits = { maxReceivedBytes: 1.5 * MiB };
  const port = await openTestPort(t, { classifier: puppet.classifier }, limits);
  const outcomes: string[] = [];
  const [first, ...others] = largeFrames(0, 3);
  let tellBoth = () => {};
  const both = new Promise<void>((resolve) => {
    tellBoth = resolve;
  });
  const frames = [first as Frame, ...others.map((frame) => ({ ...frame, deadlineMs: 20 }))];
  const stream = send(port.client, 'block', frames, (id, outcome) => {
    outcomes.push(`${id} ${outcome}`);
    if (outcomes.length === 2) tellBoth();
  });
  await both;
  t.deepEqual(outcomes, ['0/1 expired', '0/2 expired']);
  t.true((await receivedBytes(port)) <= 1.001 * MiB);
  t.is(puppet.calls.length, 1);
  puppet.calls[0]?.answer();
  await stream;
  t.deepEqual(outcomes.slice(2), ['0/0 ok']);
});

test('small frames of a stream that blocks count as large as the model takes them', async (t) => {
  const puppet = createPuppetClassifier();
  const { lender } = createTestLender({ widthPx: 512, heightPx: 256 }); // 512 KiB each
  const port = await openTestPort(
    t,
    { classifier: puppet.classifier, lender },
    { maxReceivedBytes: 1.5 * MiB },
  );
  const ids = ['a', 'b', 'c', 'd', 'e'];
  let answered = 0;
  const stream = send(
    port.client,
    'block',
    ids.map((id) => tinyFrame(id)),
    () => {
      answered += 1;
    },
  );
  await puppet.came(3);
  t.is(await receivedBytes(port), 1.5 * MiB);
  t.is(puppet.calls.length, 3);
  for (let at = 0; at < ids.length; at += 1) {
    await puppet.came(at + 1);
    puppet.calls[at]?.answer();
  }
  await stream;
  t.is(answered, ids.length);
  t.is(await receivedBytes(port), 0);
});

for (const overflow of ['dropOldest', 'latestOnly'] as const) {
  test(`${overflow}: no frame that waits goes for one that cannot be read`, async (t) => {
    const puppet = createPuppetClassifier();
    const limits = { maxReceivedBytes: 2.5 * MiB, maxInFlight: 3 };
    const port = await openTestPort(t, { classifier: puppet.classifier }, limits);
    const [first, second, bad] = largeFrames(0, 3) as [Frame, Frame, Frame];
    const outcomes: string[] = [];
    let tellBad = () => {};
    const badTold = new Promise<void>((resolve) => {
      tellBad = resolve;
    });
    const frames = [tinyFrame('tiny'), first, second, { ...bad, widthPx: 0 }];
    const stream = send(port.client, overflow, frames, (id, outcome) => {
      outcomes.push(`${id} ${outcome}`);
      if (id === bad.id) tellBad();
    });
    await badTold;
    t.deepEqual(outcomes, ['0/2 invalid']);
    for (let at = 0; at < 3; at += 1) {
      await puppet.came(at + 1);
      puppet.calls[at]?.answer();
    }
    await stream;
    t.deepEqual(outcomes.slice(1).sort(), ['0/0 ok', '0/1 ok', 'tiny ok']);
  });
}

test('a stream that waits for room is not read behind the frame that waits', async (t) => {
  const puppet = createPuppetClassifier();
  const limits = { maxReceivedBytes: 2 * MiB };
  const port = await openTestPort(t, { classifier: puppet.classifier }, limits);
  const ended: string[] = [];
  // More than the transport reads ahead.
  const stream = send(port.client, 'block', largeFrames(0, 24), (id) => ended.push(id));
  await puppet.came(1);
  // Each refusal is a round trip on the same connection: time enough to read more, if it would.
  for (let at = 0; at < 30; at += 1) {
    const error = await t.throwsAsync<DomainError>(
      port.client.classifyFrame(largeFrames(1, 1)[0] as Frame),
    );
    t.is(error.code, 'overloaded');
  }
  t.true(puppet.calls.length <= 2);
  t.true((await receivedBytes(port)) <= 2.1 * MiB);
  for (let at = 0; at < 24; at += 1) {
    await puppet.came(at + 1);
    puppet.calls[at]?.answer();
  }
  await stream;
  t.is(ended.length, 24);
});

test('a stream with nothing on its way gets through, whatever a flood of others holds', async (t) => {
  const puppet = createPuppetClassifier();
  const limits = { maxReceivedBytes: 2 * MiB };
  const port = await openTestPort(t, { classifier: puppet.classifier }, limits);
  const flood = send(port.client, 'block', largeFrames(0, 6), () => {});
  await puppet.came(1);
  const slow = send(port.client, 'block', largeFrames(1, 1), () => {});
  while (!puppet.calls.some(({ frame }) => frame.id === '1/0')) {
    await puppet.came(puppet.calls.length + 1);
  }
  puppet.calls.find(({ frame }) => frame.id === '1/0')?.answer();
  await slow;
  t.true(puppet.calls.every(({ frame, isSettled }) => isSettled === (frame.id === '1/0')));
  let answered = 0;
  while (answered < 6) {
    const open = puppet.calls.filter(({ isSettled }) => !isSettled);
    for (const call of open) call.answer();
    answered += open.length;
    if (answered < 6) await puppet.came(puppet.calls.length + 1);
  }
  await flood;
});

test('single calls of one connection share its turns in the queue', async (t) => {
  const puppet = createPuppetClassifier();
  const port = await openTestPort(t, { classifier: puppet.classifier });
  // A limit of its own keeps it from sharing the first one's connection.
  const other = connect(port.address, { maxMessageBytes: MiB });
  t.teardown(() => other.close());
  const calls = [port.client, port.client, other].map((client) =>
    client.classifyFrame(tinyFrame('a')),
  );
  await puppet.came(3);
  const ids = puppet.calls.map(({ options }) => options.streamId);
  t.is(new Set(ids).size, 2);
  for (const call of puppet.calls) call.answer();
  await Promise.all(calls);
});

async function receivedBytes({
  metrics,
}: {
  readonly metrics: { expose(): Promise<{ readonly text: string }> };
}): Promise<number> {
  const { text } = await metrics.expose();
  return Number(/^cytostream_received_bytes (\d+)/m.exec(text)?.[1]);
}
