import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ConfigInput } from '../../src/config.js';
import type { ServerOrder } from './ordered-engine.js';
import { readServerLog, type ServerLog } from './server-log.js';
import type { ServerProcessSpec } from './server-process.js';

/** How a process ended. */
export interface ServerEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** From the signal to the exit. */
  readonly ms: number;
}

/** A server in a process of its own. */
export interface LaunchedServer {
  readonly pid: number;
  readonly port: number;
  readonly httpPort: number;
  readonly log: ServerLog;
  /** Tells the engine of a server that `launchPuppet` started to fail. */
  order(order: ServerOrder): void;
  /** Sends the signal, at once, and waits for the end. @default SIGTERM */
  stop(signal?: NodeJS.Signals): Promise<ServerEnd>;
}

const local = { host: '127.0.0.1', httpHost: '127.0.0.1', port: 0, httpPort: 0 } as const;

/** Starts the server with an engine that takes orders: the whole product around it is real. */
export function launchPuppet({ config, ...spec }: ServerProcessSpec): Promise<LaunchedServer> {
  const script = fileURLToPath(new URL('./server-process.js', import.meta.url));
  const whole: ServerProcessSpec = { ...spec, config: { ...local, ...config } };
  return launch(process.execPath, [script, JSON.stringify(whole)]);
}

export interface ServeOptions {
  readonly config: ConfigInput;
  /** Largest file that the process and its children may write, in KiB. @default none */
  readonly fileSizeKib?: number;
}

/** Starts `cytostream serve`. */
export function launchServe({ config, fileSizeKib }: ServeOptions): Promise<LaunchedServer> {
  const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));
  const words = Object.entries({ ...local, ...config }).flatMap(([name, value]) => {
    if (name === 'modelsDir') return ['--models', String(value)];
    if (name === 'runsDir') return ['--runs', String(value)];
    const word = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return [`--${word}`, String(value)];
  });
  const serve = [main, 'serve', ...words, '--json'];
  if (fileSizeKib === undefined) return launch(process.execPath, serve);
  // bash counts in KiB; the limit stays with the process that takes its place.
  const limited = `ulimit -f ${fileSizeKib} && exec "$0" "$@"`;
  return launch('bash', ['-c', limited, process.execPath, ...serve]);
}

/** What was started and has not ended; it must not outlive this process. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

async function launch(command: string, args: readonly string[]): Promise<LaunchedServer> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  running.add(child);
  const exited = once(child, 'exit').finally(() => running.delete(child));
  exited.catch(() => {});
  const { stdout, stderr, pid } = child;
  if (stdout === null || stderr === null || pid === undefined) {
    throw new Error(`${command} could not be started`);
  }
  const log = readServerLog(stderr);
  const lines = createInterface({ input: stdout });
  const first = await Promise.race([once(lines, 'line'), exited.then(() => null)]);
  if (first === null) throw new Error(`the server did not start: ${log.errors.join('\n')}`);
  const { port, httpPort } = JSON.parse(String(first[0])) as { port: number; httpPort: number };
  return {
    pid,
    port,
    httpPort,
    log,
    order: (order) => void child.send(order),
    async stop(signal = 'SIGTERM') {
      const startedAtMs = performance.now();
      child.kill(signal);
      const [exitCode, endedBy] = (await exited) as [number | null, NodeJS.Signals | null];
      return { exitCode, signal: endedBy, ms: performance.now() - startedAtMs };
    },
  };
}
