import { credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { DomainError, errorCodes } from '../../src/errors.js';
import {
  ClassifierServiceClient,
  ClassifyFrameRequest,
} from '../../src/gen/cytostream/v1/classifier.js';
import { RetryInfo } from '../../src/gen/google/rpc/error_details.js';
import { Status } from '../../src/gen/google/rpc/status.js';
import { statusOf } from '../../src/rpc/status.js';
import { toWireFrame } from '../../src/rpc/wire/frame.js';
import { createLog } from '../../src/telemetry/index.js';
import { findPython, runScript } from '../python/python.js';
import { openTestPort, tinyFrame } from './fakes.js';

for (const code of errorCodes) {
  test(`an error with the code ${code} reaches its status`, async (t) => {
    const lender = {
      acquire: async () => {
        throw new DomainError(code, `told because of ${code}`);
      },
    };
    const { client } = await openTestPort(t, { lender });
    const error = await t.throwsAsync(client.classifyFrame(tinyFrame('a')), {
      instanceOf: DomainError,
    });
    t.is(error.code, code, 'the code comes back exactly, not only its status');
    t.is(error.message, code === 'internal' ? 'internal error' : `told because of ${code}`);
    t.is((error.cause as ServiceError).code, statusOf[code]);
  });
}

test('what was thrown by accident is told to the log with the id of the call, never to the caller', async (t) => {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({
    level: 'info',
    destination: { write: (line: string) => lines.push(JSON.parse(line)) },
  });
  const lender = {
    acquire: async () => {
      throw new TypeError('secret of /etc/somewhere');
    },
  };
  const { client } = await openTestPort(t, { lender, log });
  const error = await t.throwsAsync(client.classifyFrame(tinyFrame('a')), {
    instanceOf: DomainError,
  });
  const cause = error.cause as ServiceError;
  t.is(cause.code, status.INTERNAL);
  t.is(cause.details, 'internal error');
  t.false(JSON.stringify(cause.metadata.getMap()).includes('secret'));
  const line = lines.find(({ msg }) => msg === 'call failed');
  t.is(line?.['id'], cause.metadata.get('cytostream-request-id')[0] as string);
  t.regex(JSON.stringify(line?.['error']), /secret of/);
});

/** A port that refuses every frame with this error; what a caller of gRPC alone sees of it. */
async function refuseWith(t: ExecutionContext, error: DomainError) {
  const lender = {
    acquire: async () => {
      throw error;
    },
  };
  const { address } = await openTestPort(t, { lender });
  const client = new ClassifierServiceClient(address, credentials.createInsecure());
  t.teardown(() => client.close());
  const request = { model: '', frame: toWireFrame(tinyFrame('a')), priority: 0 };
  const refused = await new Promise<ServiceError | null>((resolve) => {
    client.classifyFrame(request, new Metadata(), resolve);
  });
  const pushback = refused?.metadata.get('grpc-retry-pushback-ms')[0];
  const [bytes] = refused?.metadata.get('grpc-status-details-bin') ?? [];
  return { address, request, code: refused?.code, pushback, details: bytes as Buffer | undefined };
}

const retryCases = [
  { error: new DomainError('overloaded', 'full'), retryMs: 250 },
  { error: new DomainError('overloaded', 'full', { retryAfterMs: 1234.2 }), retryMs: 1235 },
  { error: new DomainError('overloaded', 'full', { retryAfterMs: 0.1 }), retryMs: 10 },
  { error: new DomainError('overloaded', 'full', { retryAfterMs: 60_000 }), retryMs: 5000 },
  { error: new DomainError('not_ready', 'starts'), retryMs: 1000 },
];
for (const { error, retryMs } of retryCases) {
  const { code: errorCode, retryAfterMs } = error;
  test(`${errorCode} with ${retryAfterMs} ms tells to try again after ${retryMs} ms, in both trailers`, async (t) => {
    const { code, pushback, details } = await refuseWith(t, error);
    t.is(code, statusOf[errorCode]);
    t.is(pushback, String(retryMs));
    const told = Status.decode(details ?? Buffer.alloc(0));
    t.is(told.code, statusOf[errorCode]);
    t.is(told.message, error.message);
    t.deepEqual(
      told.details.map(({ typeUrl }) => typeUrl),
      ['type.googleapis.com/google.rpc.RetryInfo'],
    );
    const { retryDelay } = RetryInfo.decode(told.details[0]?.value ?? Buffer.alloc(0));
    t.is((retryDelay?.seconds ?? 0) * 1000 + (retryDelay?.nanos ?? 0) / 1e6, retryMs);
  });
}

test('an error that a second try cannot mend tells no delay', async (t) => {
  const { pushback, details } = await refuseWith(t, new DomainError('frame_invalid', 'small'));
  t.deepEqual([pushback, details], [undefined, undefined]);
});

test("Python's grpcio-status reads the delay of a refused call", async (t) => {
  const python = await findPython(t, ['grpc_status', 'google.rpc.error_details_pb2']);
  if (python === null) return;
  const error = new DomainError('overloaded', 'full', { retryAfterMs: 1500 });
  const { address, request } = await refuseWith(t, error);
  const bytes = Buffer.from(ClassifyFrameRequest.encode(request).finish()).toString('base64');
  t.deepEqual(await runScript(python, 'retry_info.py', [address, bytes]), {
    code: status.RESOURCE_EXHAUSTED,
    message: 'full',
    retryMs: 1500,
  });
});

test('what a caller types never becomes a label of a metric', async (t) => {
  const { client, metrics } = await openTestPort(t);
  await t.throwsAsync(client.classifyFrame(tinyFrame('a'), { model: 'typed-by-a-caller' }));
  const { text } = await metrics.expose();
  t.false(text.includes('typed-by-a-caller'));
  t.regex(text, /cytostream_frames_total\{model="",version="0",outcome="failed"\} 1/);
  t.regex(text, /cytostream_rpc_handled_total\{method="ClassifyFrame",code="NOT_FOUND"\} 1/);
});
