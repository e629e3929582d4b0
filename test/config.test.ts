import { resolve } from 'node:path';
import test from 'ava';
import { configFields, parseConfig, unknownVariables } from '../src/config.js';

test('without anything given, every field has its default', (t) => {
  const parsed = parseConfig({}, {});
  if ('faults' in parsed) throw new Error(parsed.faults.join());
  for (const { name, description, group, default: value } of configFields) {
    t.deepEqual(parsed.value[name], value, name);
    t.true(description.length > 10, `${name} is documented`);
    t.true(group !== '', `${name} belongs to a group`);
  }
  t.is(parsed.value.port, 50051);
  t.is(parsed.value.maxMessageBytes, 64 * 1024 * 1024);
});

test('what is given wins over the environment, which wins over the default', (t) => {
  const env = { CYTOSTREAM_PORT: '1111', CYTOSTREAM_HTTP_PORT: '2222', CYTOSTREAM_GRACE_MS: '' };
  const parsed = parseConfig({ port: 3333, graceMs: undefined }, env);
  if ('faults' in parsed) throw new Error(parsed.faults.join());
  t.is(parsed.value.port, 3333);
  t.is(parsed.value.httpPort, 2222);
  t.is(parsed.value.graceMs, 30_000);
});

test('lists are separated by commas, and folders become absolute', (t) => {
  const env = { CYTOSTREAM_DATA_ROOTS: 'here,/there', CYTOSTREAM_BATCH_SIZES: '1,8' };
  const parsed = parseConfig({ modelsDir: 'm' }, env);
  if ('faults' in parsed) throw new Error(parsed.faults.join());
  t.deepEqual(parsed.value.dataRoots, [resolve('here'), '/there']);
  t.deepEqual(parsed.value.batchSizes, [1, 8]);
  t.is(parsed.value.modelsDir, resolve('m'));
});

test('every fault is listed at once, as it was given, with what was expected', (t) => {
  const parsed = parseConfig({ port: 70_000, logLevel: 'loud', modelDir: 'typo' } as object, {
    CYTOSTREAM_MAX_IN_FLIGHT: 'many',
    CYTOSTREAM_WINDOW_BYTES: '1',
  });
  const faults = 'faults' in parsed ? parsed.faults.join('\n') : '';
  t.deepEqual(faults.split('\n').sort(), [
    '--log-level: expected one of fatal, error, warn, info, debug, trace, silent, got "loud"',
    '--port: expected a whole number from 0 to 65535, got 70000',
    'CYTOSTREAM_MAX_IN_FLIGHT: expected a whole number from 1 to 4096, got "many"',
    'CYTOSTREAM_WINDOW_BYTES: expected a whole number from 65535 to 1073741824, got "1"',
    'Unrecognized key: "modelDir"',
  ]);
});

for (const [name, given, expected] of [
  ['half of a TLS pair', { tlsCert: 'a.pem' }, /--tls-cert and --tls-key: expected both/],
  ['the same port twice', { port: 9000, httpPort: 9000 }, /another port/],
  [
    'a delay of a model that is no number',
    { modelBatchDelaysMs: 'cells' },
    /^--model-batch-delays-ms: expected a number from 0 to 1000, got "cells"$/,
  ],
  ['a remote engine without a place', { engine: 'remote' }, /--engine and --remote: expected/],
  ['a place without the remote engine', { remote: 'gpu:8001' }, /--engine and --remote: expected/],
  ['a place that is none', { engine: 'remote', remote: 'http://gpu:8000/v2' }, /HOST:PORT/],
  [
    'half precision of another engine',
    { engine: 'tensorflow', precision: 'half' },
    /^--precision: expected auto or full with engine tensorflow, got half$/,
  ],
  [
    'half of a pair for another server',
    { engine: 'remote', remote: 'grpcs://gpu:8001', remoteCert: 'a.pem' },
    /^--remote-cert and --remote-key: expected both/,
  ],
  [
    'a certificate shown in plain text',
    { engine: 'remote', remote: 'gpu:8001', remoteCert: 'a.pem', remoteKey: 'a.key' },
    /^--remote-cert: expected --remote grpcs:/,
  ],
  [
    'planes resized in the graph of another engine',
    { engine: 'tensorflow', resize: 'graph' },
    /^--resize: expected auto or host with engine tensorflow, got graph$/,
  ],
  ['batch sizes that do not ascend', { batchSizes: [1, 4, 4] }, /ascending/],
] as const) {
  test(`${name} is a fault`, (t) => {
    const parsed = parseConfig(given, {});
    t.regex('faults' in parsed ? parsed.faults.join() : '', expected);
  });
}

test('half precision of another server is a declaration, not a fault', (t) => {
  const parsed = parseConfig({ engine: 'remote', remote: 'gpu:8001', precision: 'half' }, {});
  t.is('value' in parsed && parsed.value.precision, 'half');
});

test('variables that look like settings and are none are named', (t) => {
  const env = { CYTOSTREAM_PROT: '3', CYTOSTREAM_PORT: '3', CYTOSTREAM_SHARED_DATA: '/', PATH: '' };
  t.deepEqual(unknownVariables(env), ['CYTOSTREAM_PROT']);
});
