import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../src/package-root.js';
import { makeCppLoad } from './cpp-load.js';
import { median } from './median.js';
import { connectRaw, encodeFrame } from './raw-client.js';
import { buildCpp, findPython, pinned } from './yardsticks.js';

/** What one server did with frames of one size. */
export interface TransportMeasure {
  readonly framesPerSecond: number;
  /** CPU time of the server, milliseconds a frame: what is left when the client is the bottleneck. */
  readonly cpuMs: number;
}

/** This product's gRPC edge beside a bare server of another make. */
export interface TransportRow {
  readonly frameBytes: number;
  readonly yardstick: 'C++' | 'Python' | 'Node.js';
  readonly ours: TransportMeasure;
  readonly theirs: TransportMeasure;
  /** Their CPU time a frame ÷ ours: above 1 is better. */
  readonly ratio: number;
}

export interface TransportOptions {
  /** Measured time for each server and size, in each round. @default 2 */
  readonly seconds?: number;
  /** @default 3 */
  readonly rounds?: number;
}

/** Four planes of 128², 724² and 2896² bytes; the last as large as 2048² of 16 bits. */
const sizes = [64 * 1024, 2 * 1024 * 1024, 32 * 1024 * 1024];
const streams = 4;

/**
 * Frames through the gRPC edge alone, streamed to a server in a process of its own on one
 * core, beside bare servers of gRPC's Node.js, and of its C++ and Python where they can be
 * had. The load is C++ where that can be compiled, else this process. Rounds are interleaved
 * and medians compared, because times drift.
 */
export async function measureTransport(
  options: TransportOptions = {},
  say: (line: string) => void = console.log,
): Promise<readonly TransportRow[]> {
  const { seconds = 2, rounds = 3 } = options;
  const cpp = await buildCpp();
  const python = findPython();
  if (cpp === null) say('NO C++ YARDSTICK: no g++ with gRPC was found (libgrpc++-dev).');
  if (python === null) {
    say('NO PYTHON YARDSTICK: no Python with grpcio and grpcio-tools (CYTOSTREAM_BENCH_PYTHON).');
  }
  const folder = await mkdtemp(join(tmpdir(), 'cytostream-bench-'));
  const servers: Server[] = [];
  try {
    const ours = await startServer([process.execPath, echoServer]);
    servers.push(ours);
    const yardsticks: { readonly name: TransportRow['yardstick']; readonly server: Server }[] = [];
    for (const [name, command] of [
      ['C++', cpp && [cpp.server]],
      ['Python', python && [python, pythonEcho]],
      ['Node.js', [process.execPath, nodeEcho]],
    ] as const) {
      if (!command) continue;
      const server = await startServer(command);
      servers.push(server);
      yardsticks.push({ name, server });
    }
    const rows: TransportRow[] = [];
    for (const frameBytes of sizes) {
      const load = await makeLoad(frameBytes, folder, cpp?.client ?? null);
      const samples = new Map<Server, TransportMeasure[]>();
      for (const server of servers) await measure(server, load, 0.5); // warm
      for (let round = 0; round < rounds; round += 1) {
        for (const server of servers) {
          const sample = await measure(server, load, seconds);
          samples.set(server, [...(samples.get(server) ?? []), sample]);
        }
      }
      const medians = (server: Server): TransportMeasure => {
        const of = samples.get(server) ?? [];
        return {
          framesPerSecond: median(of.map(({ framesPerSecond }) => framesPerSecond)),
          cpuMs: median(of.map(({ cpuMs }) => cpuMs)),
        };
      };
      for (const { name, server } of yardsticks) {
        const [mine, theirs] = [medians(ours), medians(server)];
        const ratio = theirs.cpuMs / mine.cpuMs;
        rows.push({ frameBytes, yardstick: name, ours: mine, theirs, ratio });
      }
    }
    return rows;
  } finally {
    for (const server of servers) server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const echoServer = join(packageRoot, 'dist/bench/transport-server.js');
const nodeEcho = join(packageRoot, 'dist/bench/echo-server.js');
const pythonEcho = join(packageRoot, 'bench/yardstick/echo_server.py');

interface Server {
  readonly pid: number;
  readonly port: number;
  stop(): void;
}

async function startServer(command: readonly string[]): Promise<Server> {
  const [program = '', ...args] = pinned(0, command);
  const child: ChildProcess = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  if (child.stdout === null || child.pid === undefined) {
    throw new Error(`${command.join(' ')} did not start`);
  }
  const gone = once(child, 'exit').then(() => {
    throw new Error(`${command.join(' ')} ended at once`);
  });
  const [line] = await Promise.race([once(child.stdout, 'data'), gone]);
  gone.catch(() => {});
  return { pid: child.pid, port: Number(String(line)), stop: () => child.kill() };
}

/** Streams frames to a port for so many seconds. */
type Load = (
  port: number,
  seconds: number,
) => Promise<{ readonly answered: number; readonly elapsedMs: number }>;

async function makeLoad(
  frameBytes: number,
  folder: string,
  cppClient: string | null,
): Promise<Load> {
  const edgePx = Math.floor(Math.sqrt(frameBytes / 4));
  const plane = Buffer.alloc(edgePx * edgePx, 7);
  const channels = ['red', 'green', 'blue', 'yellow'];
  const message = encodeFrame({
    id: 'bench-000001',
    widthPx: edgePx,
    heightPx: edgePx,
    pixelType: 'uint8',
    significantBits: 0,
    encoding: 'raw',
    planes: channels.map((channel) => ({ channel, bytes: plane })),
  });
  if (cppClient === null) return (port, seconds) => loadFromHere(port, message, seconds);
  const load = await makeCppLoad(cppClient, {
    folder: join(folder, `${frameBytes}`),
    frame: message,
    wrap: (command) => pinned(1, command),
  });
  return (port, seconds) => load({ port, streams, seconds });
}

const loadFromHere = async (port: number, message: Buffer, seconds: number) => {
  const client = connectRaw(port);
  let answered = 0;
  let isOver = false;
  const startedAtMs = performance.now();
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
  client.close();
  return { answered, elapsedMs: performance.now() - startedAtMs };
};

async function measure(
  { pid, port }: Server,
  load: Load,
  seconds: number,
): Promise<TransportMeasure> {
  const before = cpuOf(pid);
  const { answered, elapsedMs } = await load(port, seconds);
  return {
    framesPerSecond: (answered * 1000) / elapsedMs,
    cpuMs: (cpuOf(pid) - before) / answered,
  };
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
