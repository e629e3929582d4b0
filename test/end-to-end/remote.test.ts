import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import type { ClassifyReply } from '../../src/client/index.js';
import { connect } from '../../src/client/index.js';
import { createMicroscope } from '../../src/simulator/index.js';
import { makeFolder } from '../make-folder.js';
import { startServe } from './serve.js';
import { importUntrained } from './untrained.js';

const run = promisify(execFile);

/** A certificate of "localhost" and its key; null where there is no openssl. */
async function makeCertificate(folder: string) {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const words = `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout ${key} -out ${cert}`;
  const extension = ['-addext', 'subjectAltName=DNS:localhost'];
  const made = await run('openssl', [...words.split(' '), ...extension]).catch(() => null);
  return made === null ? null : { key, cert };
}

test('frames get the same answers when the network is on another server, in plain text and over TLS', async (t) => {
  const folder = await makeFolder(t);
  const models = ['--models', join(folder, 'models'), '--batch-sizes', '1,4'];
  await importUntrained(join(folder, 'models'), 1);
  const far = await startServe(t, models);
  const remote = ['--engine', 'remote', '--remote'];
  const near = [await startServe(t, [...models, ...remote, far.address])];
  const tls = await makeCertificate(folder);
  if (tls === null) t.log('SKIPPED over TLS: openssl is needed to make a certificate');
  else {
    const secure = await startServe(t, [...models, '--tls-cert', tls.cert, '--tls-key', tls.key]);
    const at = `grpcs://localhost:${secure.address.split(':')[1]}`;
    near.push(await startServe(t, [...models, ...remote, at, '--remote-authorities', tls.cert]));
  }
  const classify = async (address: string) => {
    const client = connect(address);
    t.teardown(() => client.close());
    const microscope = createMicroscope({
      seed: 7,
      sizePx: 64,
      frameCount: 12,
      framesPerSecond: null,
    });
    const frames = (async function* () {
      for await (const { frame } of microscope) yield frame;
    })();
    const replies: ClassifyReply[] = [];
    const options = { model: 'cells', delivery: 'inOrder' } as const;
    for await (const reply of client.classify(options, frames)) replies.push(reply);
    const predictions = replies.flatMap((reply) =>
      reply.kind === 'prediction' ? [reply.prediction] : [],
    );
    t.true(predictions.every(({ outcome }) => outcome === 'ok'));
    const device = replies[0]?.kind === 'model' ? replies[0].model.device : '';
    return { device, rows: predictions.map(({ probabilities }) => [...probabilities]) };
  };
  const expected = await classify(far.address);
  t.is(expected.rows.length, 12);
  for (const { address } of near) {
    const { device, rows } = await classify(address);
    t.regex(device, /^remote\/(127\.0\.0\.1|localhost):\d+$/);
    const away = rows.flatMap((row, frame) =>
      row.map((value, label) => Math.abs(value - (expected.rows[frame]?.[label] ?? 9))),
    );
    // The runtime may add the same products in another order in a batch of another size.
    t.true(Math.max(...away) <= 1e-6, `differs by ${Math.max(...away)}`);
  }
});
