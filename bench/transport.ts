import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/package-root.js';
import { median } from './median.js';
import { connectRaw, encodeFrame } from './raw-client.js';

/** How one server did with one size of frame. */
export interface TransportRow {
  readonly server: string;
  readonly frameBytes: number;
  readonly framesPerSecond: number;
  /** CPU time of the server, milliseconds a frame: what is left when the client is the bottleneck. */
  readonly serverCpuMs: number;
  /** The yardstick's CPU time a frame ÷ this one's: above 1 is better. null without a yardstick. */
  readonly ratio: number | null;
}

export interface TransportOptions {
  /** Measured time for each server and size, in each of three rounds. @default 2 */
  readonly seconds?: number;
}

const sizes = [64 * 1024, 2 * 1024 * 1024];
const streams = 4;

/**
 * Frames a second through the gRPC edge alone, streamed from this process to a server in
 * another, beside a bare Python server on gRPC's C core where one can be run. Rounds are
 * interleaved and medians compared, because times drift.
 */
export async function measureTransport(
  options: TransportOptions = {},
  say: (line: string) => void = console.log,
): Promise<readonly TransportRow[]> {
  const seconds = options.seconds ?? 2;
  const servers = [await startServer('cytostream', process.execPath, [ours])];
  const python = findPython();
  if (python === null) {
    say(
      'NO YARDSTICK: no Python with grpcio and grpcio-tools was found (set CYTOSTREAM_BENCH_PYTHON to one).',
    );
  } else servers.push(await startServer('Python C core', python, [yardstick]));
  try {
    const samples: { server: string; frameBytes: number; rate: number; cpuMs: number }[] = [];
    for (const frameBytes of sizes) {
      for (const server of servers) await measure(server, frameBytes, 0.5); // warm
      for (let round = 0; round < 3; round += 1) {
        for (const server of servers) {
          samples.push({
            server: server.name,
            frameBytes,
            ...(await measure(server, frameBytes, seconds)),
          });
        }
      }
    }
    const medianOf = (server: string, frameBytes: number, field: 'rate' | 'cpuMs') =>
      median(
        samples
          .filter((sample) => sample.server === server && sample.frameBytes === frameBytes)
          .map((sample) => sample[field]),
      );
    return sizes.flatMap((frameBytes) =>
      servers.map(({ name }) => {
        const cpuMs = medianOf(name, frameBytes, 'cpuMs');
        const ratio =
          python === null ? null : medianOf('Python C core', frameBytes, 'cpuMs') / cpuMs;
        return {
          server: name,
          frameBytes,
          framesPerSecond: medianOf(name, frameBytes, 'rate'),
          serverCpuMs: cpuMs,
          ratio,
        };
      }),
    );
  } finally {
    for (const server of servers) server.stop();
  }
}

const ours = join(packageRoot, 'dist/bench/transport-server.js');
const yardstick = join(packageRoot, 'bench/yardstick/echo_server.py');

interface Server {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  stop(): void;
}

async function startServer(name: string, command: string, args: string[]): Promise<Server> {
  // One core for the server, where it can be arranged; the client takes the others.
  const pinned = hasTaskset() ? ['taskset', '-c', '0', command, ...args] : [command, ...args];
  const [program = command, ...rest] = pinned;
  const child: ChildProcess = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
  if (child.stdout === null || child.pid === undefined) throw new Error(`${name} did not start`);
  const [line] = await once(child.stdout, 'data');
  return { name, pid: child.pid, port: Number(String(line)), stop: () => child.kill() };
}

/** Streams frames of one size for a while; the frame is encoded once. */
async function measure(
  { pid, port }: Server,
  frameBytes: number,
  seconds: number,
): Promise<{ rate: number; cpuMs: number }> {
  const plane = Buffer.alloc(frameBytes / 4, 7);
  const edge = Math.sqrt(frameBytes / 4);
  const channels = ['red', 'green', 'blue', 'yellow'];
  const message = encodeFrame({
    id: 'bench-000001',
    widthPx: Math.floor(edge),
    heightPx: Math.floor(edge),
    pixelType: 'uint8',
    significantBits: 0,
    encoding: 'raw',
    planes: channels.map((channel) => ({ channel, bytes: plane })),
  });
  const client = connectRaw(port);
  let answered = 0;
  let isOver = false;
  const startedAt = { ms: performance.now(), cpuMs: cpuOf(pid) };
  const timer = setTimeout(() => {
    isOver = true;
  }, seconds * 1000);
  await Promise.all(
    Array.from({ length: streams }, async () => {
      const stream = client.openStream();
      stream.on('data', () => {
        answered += 1;
      });
      const ended = once(stream, 'end');
      while (!isOver) {
        if (!stream.write(message)) await once(stream, 'drain');
        else await Promise.resolve();
      }
      stream.end();
      await ended;
    }),
  );
  clearTimeout(timer);
  const elapsedMs = performance.now() - startedAt.ms;
  const cpuMs = (cpuOf(pid) - startedAt.cpuMs) / answered;
  client.close();
  return { rate: (answered / elapsedMs) * 1000, cpuMs };
}

/** User and system time of a process so far, from /proc (100 ticks a second on Linux). */
function cpuOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Number.NaN; // not Linux: only the rate is told
  }
}

function findPython(): string | null {
  const asked = process.env['CYTOSTREAM_BENCH_PYTHON'];
  for (const python of [asked, 'python3', '/usr/bin/python3']) {
    if (python === undefined) continue;
    try {
      execFileSync(python, ['-c', 'from grpc_tools import protoc; protoc._protos_and_services'], {
        stdio: 'ignore',
      });
      return python;
    } catch {
      // the next one
    }
  }
  return null;
}

function hasTaskset(): boolean {
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
