import { join } from 'node:path';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { credentials } from '@grpc/grpc-js';
import test from 'ava';
import { packageRoot } from '../../src/package-root.js';
import { openTestPort } from './fakes.js';
import { type HealthClient, healthClient, load } from './health-client.js';

const check = (client: HealthClient, service: string) =>
  new Promise<string>((resolve) => {
    client.check({ service }, (error, response) =>
      resolve(error === null ? response.status : `code ${error.code}`),
    );
  });

test('health tells of the whole server and of each service', async (t) => {
  const { rpc, address } = await openTestPort(t);
  const client = healthClient(t, address);
  t.is(await check(client, ''), 'NOT_SERVING', 'until the server says otherwise');
  rpc.setServing({ server: true, classifier: false });
  t.is(await check(client, ''), 'SERVING');
  t.is(await check(client, 'cytostream.v1.ClassifierService'), 'NOT_SERVING');
  t.is(await check(client, 'cytostream.v1.TrainerService'), 'SERVING');
  t.is(await check(client, 'cytostream.v1.ModelService'), 'SERVING');
  rpc.setServing({ server: true, classifier: true });
  t.is(await check(client, 'cytostream.v1.ClassifierService'), 'SERVING');
  t.is(await check(client, 'cytostream.v1.Nothing'), 'code 5');
});

test('a watcher of health is told of a drain before the server goes', async (t) => {
  const { rpc, address } = await openTestPort(t);
  rpc.setServing({ server: true, classifier: true });
  const seen: string[] = [];
  let drained: Promise<void> | null = null;
  for await (const { status } of healthClient(t, address).watch({ service: '' })) {
    seen.push(status);
    drained ??= rpc.drain(60_000);
  }
  t.deepEqual(seen, ['SERVING', 'NOT_SERVING']);
  await drained;
});

test('reflection lists the services and gives their files', async (t) => {
  const { address } = await openTestPort(t);
  const folder = join(packageRoot, 'node_modules/@grpc/reflection/build/proto');
  const proto = load('grpc/reflection/v1/reflection.proto', [folder]);
  const client = new proto.grpc.reflection.v1.ServerReflection(
    address,
    credentials.createInsecure(),
  );
  t.teardown(() => client.close());
  const stream = client.ServerReflectionInfo();
  stream.write({ listServices: '' });
  stream.write({ fileContainingSymbol: 'cytostream.v1.ClassifierService' });
  stream.end();
  const [list, file] = (await stream.toArray()) as [
    { listServicesResponse: { service: { name: string }[] } },
    { fileDescriptorResponse: { fileDescriptorProto: Buffer[] } },
  ];
  t.deepEqual(list.listServicesResponse.service.map(({ name }) => name).sort(), [
    'cytostream.v1.ClassifierService',
    'cytostream.v1.ModelService',
    'cytostream.v1.TrainerService',
    'inference.GRPCInferenceService',
  ]);
  const files = file.fileDescriptorResponse.fileDescriptorProto.map((bytes) =>
    fromBinary(FileDescriptorProtoSchema, bytes),
  );
  // What grpcurl and Python do: a registry of nothing but the files that came.
  const registry = createFileRegistry(files[0]!, (name) =>
    files.find((each) => each.name === name),
  );
  const classify = registry.getService('cytostream.v1.ClassifierService')?.method['classify'];
  t.is(classify?.methodKind, 'bidi_streaming');
  const { distance, outcome } = registry.getMessage('cytostream.v1.Prediction')?.field ?? {};
  t.deepEqual(
    [distance?.presence, outcome?.presence],
    [FeatureSet_FieldPresence.EXPLICIT, FeatureSet_FieldPresence.IMPLICIT],
  );
});
