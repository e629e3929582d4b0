import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/package-root.js';

/** No part of the benchmark takes so long, unless it hangs. */
const timeoutMs = 600_000;

/** A script of this benchmark, built. */
export const scriptOf = (name: string): string => join(packageRoot, 'dist/bench', name);

/** Every line of JSON that a process prints. Throws when it fails, with the end of what it said. */
export async function linesOf(
  program: string,
  args: readonly string[],
): Promise<readonly unknown[]> {
  const options = { maxBuffer: 2 ** 28, timeout: timeoutMs };
  const { stdout } = await promisify(execFile)(program, [...args], options).catch(
    (error: Error & { readonly stderr?: string }) => {
      const said = error.stderr?.trim().split('\n').at(-1);
      throw new Error(said || error.message.split('\n')[0] || 'it failed');
    },
  );
  return stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
}
