import { type Client, credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { ExecutionContext } from 'ava';
import { protoPath } from 'grpc-health-check';

type Callback = (error: { code: number } | null, response: { status: string }) => void;
export interface HealthClient extends Client {
  check(request: { service: string }, done: Callback): void;
  watch(request: { service: string }): AsyncIterable<{ status: string }>;
}

// biome-ignore lint/suspicious/noExplicitAny: what proto-loader makes has no static type
export const load = (path: string | string[], includeDirs: string[] = []): any =>
  loadPackageDefinition(loadSync(path, { enums: String, includeDirs, longs: Number }));

/** Asks a server how it is, by a connection of its own; closed when the test ends. */
export function healthClient(t: Pick<ExecutionContext, 'teardown'>, address: string): HealthClient {
  const client = new (load(protoPath).grpc.health.v1.Health)(
    address,
    credentials.createInsecure(),
    { 'grpc.use_local_subchannel_pool': 1 },
  ) as HealthClient;
  t.teardown(() => client.close());
  return client;
}
