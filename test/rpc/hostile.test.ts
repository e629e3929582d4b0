import { randomBytes } from 'node:crypto';
import http2 from 'node:http2';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { connect } from '../../src/client/index.js';
import {
  ClassifyRequest,
  ClassifyResponse,
  Outcome,
} from '../../src/gen/cytostream/v1/classifier.js';
import { Plane } from '../../src/gen/cytostream/v1/frame.js';
import { toWireFrame } from '../../src/rpc/wire/frame.js';
import { toWireStreamOptions } from '../../src/rpc/wire/prediction.js';
import { collect, openTestPort, tinyFrame } from './fakes.js';

const path = '/cytostream.v1.ClassifierService/Classify';
const same = (bytes: Buffer) => bytes;

/** A stream that sends bytes as they are. */
function rawStream(t: ExecutionContext, address: string) {
  const client = new Client(address, credentials.createInsecure());
  t.teardown(() => client.close());
  return client.makeBidiStreamRequest(path, same, same, new Metadata());
}

const options = Buffer.from(
  ClassifyRequest.encode({
    message: { $case: 'options', value: toWireStreamOptions({}) },
  }).finish(),
);
const frame = Buffer.from(
  ClassifyRequest.encode({
    message: { $case: 'frame', value: toWireFrame(tinyFrame('good')) },
  }).finish(),
);
/** A length-delimited field that promises more bytes than there are. */
const truncated = frame.subarray(0, frame.length - 5);

test('a message that is not of the contract is answered invalid, and the stream goes on', async (t) => {
  const { address } = await openTestPort(t);
  const stream = rawStream(t, address);
  for (const message of [options, truncated, Buffer.alloc(0), frame]) stream.write(message);
  stream.end();
  const answers = ((await stream.toArray()) as Buffer[])
    .map((bytes) => ClassifyResponse.decode(bytes).message)
    .flatMap((message) => (message?.$case === 'prediction' ? [message.value] : []));
  t.deepEqual(answers.map(({ outcome }) => outcome).sort(), [
    Outcome.OK,
    Outcome.INVALID,
    Outcome.INVALID,
  ]);
});

for (const [name, messages, expected] of [
  ['garbage as the first message', [truncated], status.INVALID_ARGUMENT],
  ['an empty first message', [Buffer.alloc(0)], status.INVALID_ARGUMENT],
  ['options after the first message', [options, options], status.INVALID_ARGUMENT],
  ['options after a frame', [frame, options], status.INVALID_ARGUMENT],
] as const) {
  test(`${name}: INVALID_ARGUMENT`, async (t) => {
    const { address } = await openTestPort(t);
    const stream = rawStream(t, address);
    for (const message of messages) stream.write(message);
    const error = await t.throwsAsync<ServiceError>(stream.toArray());
    t.is(error.code, expected);
  });
}

test('a message over the limit ends its own call with RESOURCE_EXHAUSTED, and no other', async (t) => {
  const { address, client } = await openTestPort(t, {}, { maxMessageBytes: 100_000 });
  const stream = rawStream(t, address);
  stream.on('error', () => {});
  stream.write(Buffer.alloc(100_001));
  const error = await t.throwsAsync<ServiceError>(stream.toArray());
  t.is(error.code, status.RESOURCE_EXHAUSTED);
  t.is((await client.classifyFrame(tinyFrame('a'))).prediction.outcome, 'ok');
});

test('a frame of 40 MiB passes', async (t) => {
  const { client } = await openTestPort(t);
  const planes = tinyFrame('a').planes.map((plane) => ({
    ...plane,
    bytes: Buffer.alloc(10 * 1024 * 1024),
  }));
  t.is((await client.classifyFrame({ ...tinyFrame('a'), planes })).prediction.outcome, 'ok');
});

test('a message with a million planes is refused before it is taken apart', async (t) => {
  const { address } = await openTestPort(t);
  const stream = rawStream(t, address);
  const plane = Plane.encode(Plane.create()).finish();
  const million = Buffer.alloc(2_000_000);
  for (let at = 0; at < million.length; at += 2) million.writeUInt16BE(0x3a00 | plane.length, at);
  const head = Buffer.from([0x12, 0x80 | (million.length & 0x7f), 0, 0, 0]);
  let rest = million.length >> 7;
  for (let at = 2; at < 4; at += 1, rest >>= 7) head[at] = (at < 3 ? 0x80 : 0) | (rest & 0x7f);
  const message = Buffer.concat([head.subarray(0, 4), million]);
  stream.write(options);
  stream.write(message);
  stream.end();
  const last = ((await stream.toArray()) as Buffer[]).map(
    (bytes) => ClassifyResponse.decode(bytes).message,
  )[1];
  t.is(last?.$case, 'prediction');
  if (last?.$case === 'prediction') t.regex(last.value.message, /at most 1000 fields/);
});

test('no mutation of a message brings the server down, and each gets its answer', async (t) => {
  const { address, client } = await openTestPort(t);
  const mutation = fc.record({
    cut: fc.nat(frame.length),
    flips: fc.array(fc.tuple(fc.nat(frame.length - 1), fc.nat(255)), { maxLength: 8 }),
    tail: fc.nat(20),
  });
  const samples = fc.sample(mutation, 300);
  // The options come first; a mutated frame that turned into options ends its stream.
  for (let at = 0; at < samples.length; at += 30) {
    const stream = rawStream(t, address);
    stream.write(options);
    const batch = samples.slice(at, at + 30);
    for (const { cut, flips, tail } of batch) {
      const bytes = Buffer.from(frame);
      for (const [index, value] of flips) bytes[index] = value;
      stream.write(Buffer.concat([bytes.subarray(0, cut), randomBytes(tail)]));
    }
    stream.end();
    try {
      const replies = (await stream.toArray()) as Buffer[];
      t.is(replies.length, 1 + batch.length);
    } catch (error) {
      t.is((error as ServiceError).code, status.INVALID_ARGUMENT);
    }
  }
  t.is((await client.classifyFrame(tinyFrame('a'))).prediction.outcome, 'ok');
});

test('garbage to every method is INVALID_ARGUMENT', async (t) => {
  const { address } = await openTestPort(t);
  const client = new Client(address, credentials.createInsecure());
  t.teardown(() => client.close());
  const methods = [
    'ClassifierService/ClassifyFrame',
    'ModelService/GetModel',
    'ModelService/PromoteModel',
    'ModelService/ImportModel',
    'TrainerService/GetRun',
    'TrainerService/StopRun',
  ];
  for (const method of methods) {
    const error = await new Promise<ServiceError | null>((resolve) => {
      client.makeUnaryRequest(`/cytostream.v1.${method}`, same, same, truncated, (failure) =>
        resolve(failure),
      );
    });
    t.is(error?.code, status.INVALID_ARGUMENT, method);
    t.false(String(error?.details).includes('at '), method);
  }
});

test('a client that never reads stalls its own sending and nobody else', async (t) => {
  const taken: string[] = [];
  const { address } = await openTestPort(t, {
    classifier: {
      classify: async ({ id }, handle) => {
        taken.push(id);
        return {
          frameId: id,
          probabilities: new Float32Array(28),
          labelIndices: [],
          version: handle.manifest.version,
          batchSize: 1,
          qualityFlags: [],
          timings: { prepareMs: 0, queueMs: 0, runMs: 0 },
        };
      },
    },
  });
  // Not grpc-js: its client takes everything off the wire even if nobody reads it.
  const session = http2.connect(`http://${address}`);
  t.teardown(() => session.destroy());
  const slow = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  slow.on('error', () => {});
  const framed = (bytes: Buffer) => {
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(bytes.length, 1);
    return Buffer.concat([prefix, bytes]);
  };
  slow.write(framed(options));
  const total = 20_000;
  for (let sent = 0; sent < total; sent += 100) {
    slow.write(Buffer.concat(Array.from({ length: 100 }, () => framed(frame))));
  }
  const other = connect(address);
  t.teardown(() => other.close());
  // Until nothing of it moves any more: other callers are served all the while.
  const ofSlow = () => taken.filter((id) => id === 'good').length;
  for (let before = -1, quiet = 0; quiet < 5; ) {
    quiet = ofSlow() === before ? quiet + 1 : 0;
    before = ofSlow();
    const frames = Array.from({ length: 200 }, (_, index) => tinyFrame(String(index)));
    t.is((await collect(other.classify({}, frames))).length, 201);
  }
  t.true(ofSlow() > 0);
  t.true(ofSlow() < total / 4, `${ofSlow()} of ${total} were taken from a client that never reads`);
});
