import test from 'ava';
import { DomainError } from '../../src/errors.js';
import { createMetrics, openHttpPort } from '../../src/telemetry/index.js';

test('the port tells of metrics, life and readiness', async (t) => {
  let reason: string | null = 'no model is ready';
  const port = await openHttpPort(
    { host: '127.0.0.1', port: 0 },
    { metrics: createMetrics(), notReadyBecause: () => reason },
  );
  t.teardown(() => port.close());
  const get = async (path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${port.port}${path}`, { method });
    return [response.status, await response.text()] as const;
  };
  t.deepEqual(await get('/healthz'), [200, 'ok\n']);
  t.deepEqual(await get('/readyz'), [503, 'no model is ready\n']);
  reason = null;
  t.deepEqual(await get('/readyz?probe=1'), [200, 'ok\n']);
  t.regex((await get('/metrics'))[1], /cytostream_rpc_started_total/);
  t.deepEqual(await get('/metrics', 'HEAD'), [200, '']);
  t.is((await get('/metrics', 'POST'))[0], 405);
  t.deepEqual(await get('/other'), [404, 'expected /metrics, /healthz or /readyz\n']);
});

test('a port in use is told by its number', async (t) => {
  const collaborators = { metrics: createMetrics(), notReadyBecause: () => null };
  const first = await openHttpPort({ host: '127.0.0.1', port: 0 }, collaborators);
  t.teardown(() => first.close());
  const error = await t.throwsAsync(
    openHttpPort({ host: '127.0.0.1', port: first.port }, collaborators),
    { instanceOf: DomainError },
  );
  t.is(error.code, 'option_invalid');
  t.regex(error.message, new RegExp(`HTTP port ${first.port} is in use`));
});

test('closing does not wait for a caller that keeps its connection', async (t) => {
  const port = await openHttpPort(
    { host: '127.0.0.1', port: 0 },
    { metrics: createMetrics(), notReadyBecause: () => null },
  );
  await (await fetch(`http://127.0.0.1:${port.port}/healthz`)).text();
  await Promise.all([port.close(), port.close()]);
  await t.throwsAsync(fetch(`http://127.0.0.1:${port.port}/healthz`));
});
