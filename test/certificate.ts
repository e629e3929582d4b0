import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { makeFolder } from './make-folder.js';

const run = promisify(execFile);

/** A certificate of "localhost" and its key, PEM; null where there is no openssl. */
export async function makeCertificate(
  t: ExecutionContext,
): Promise<{ readonly cert: Buffer; readonly key: Buffer } | null> {
  const folder = await makeFolder(t);
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const words = `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout ${key} -out ${cert}`;
  const extension = ['-addext', 'subjectAltName=DNS:localhost'];
  const isMade = await run('openssl', [...words.split(' '), ...extension]).then(
    () => true,
    () => false,
  );
  return isMade ? { key: await readFile(key), cert: await readFile(cert) } : null;
}

/** The same; where there is none, the test passes as skipped, and says so. */
export async function certificateOrSkip(t: ExecutionContext): ReturnType<typeof makeCertificate> {
  const tls = await makeCertificate(t);
  if (tls !== null) return tls;
  const line = `SKIPPED "${t.title}": openssl is needed to make a certificate`;
  console.warn(line);
  t.log(line);
  t.pass();
  return null;
}
