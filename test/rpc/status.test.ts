import { credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import test from 'ava';
import { DomainError, errorCodes } from '../../src/errors.js';
import { ClassifierServiceClient } from '../../src/gen/cytostream/v1/classifier.js';
import { statusOf } from '../../src/rpc/status.js';
import { toWireFrame } from '../../src/rpc/wire/frame.js';
import { createLog } from '../../src/telemetry/index.js';
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

test('overloaded tells when to try again', async (t) => {
  const lender = {
    acquire: async () => {
      throw new DomainError('overloaded', 'full');
    },
  };
  const { address } = await openTestPort(t, { lender });
  const client = new ClassifierServiceClient(address, credentials.createInsecure());
  t.teardown(() => client.close());
  const frame = toWireFrame(tinyFrame('a'));
  const error = await new Promise<ServiceError | null>((resolve) => {
    client.classifyFrame({ model: '', frame, priority: 0 }, new Metadata(), resolve);
  });
  t.is(error?.code, status.RESOURCE_EXHAUSTED);
  t.true(Number(error?.metadata.get('grpc-retry-pushback-ms')[0]) > 0);
});

test('what a caller types never becomes a label of a metric', async (t) => {
  const { client, metrics } = await openTestPort(t);
  await t.throwsAsync(client.classifyFrame(tinyFrame('a'), { model: 'typed-by-a-caller' }));
  const { text } = await metrics.expose();
  t.false(text.includes('typed-by-a-caller'));
  t.regex(text, /cytostream_frames_total\{model="",version="0",outcome="failed"\} 1/);
  t.regex(text, /cytostream_rpc_handled_total\{method="ClassifyFrame",code="NOT_FOUND"\} 1/);
});
