import type { ExecutionContext } from 'ava';
import { type Client, connect } from '../../src/client/index.js';
import { type CliProcess, startCli } from '../cli/run-cli.js';

/** The command `serve`, serving. */
export interface ServeProcess extends CliProcess {
  readonly address: string;
  readonly httpPort: number;
  readonly client: Client;
}

/** Starts `serve` on free ports and waits until it serves. Killed when the test ends. */
export async function startServe(
  t: ExecutionContext,
  words: readonly string[],
): Promise<ServeProcess> {
  const free = [
    '--host',
    '127.0.0.1',
    '--http-host',
    '127.0.0.1',
    '--port',
    '0',
    '--http-port',
    '0',
  ];
  const process = startCli(['serve', ...free, '--json', ...words]);
  t.teardown(async () => {
    process.child.kill('SIGKILL');
    await process.ended;
  });
  const [line] = await process.waitFor(/^\{"port":\d+,"httpPort":\d+\}$/m);
  const { port, httpPort } = JSON.parse(line) as { port: number; httpPort: number };
  const address = `127.0.0.1:${port}`;
  const client = connect(address);
  t.teardown(() => client.close());
  return { ...process, address, httpPort, client };
}
