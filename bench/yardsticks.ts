import { execFile, execFileSync } from 'node:child_process';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../src/package-root.js';

/** What gRPC's own C++ gives, compiled here: a bare echo server, and a load that costs little. */
export interface Cpp {
  readonly server: string;
  readonly client: string;
}

const sources = join(packageRoot, 'bench/yardstick');
const built = join(packageRoot, 'dist/bench/yardstick');
const run = promisify(execFile);

/**
 * Compiles the C++ yardsticks, once; null where the machine has no gRPC for C++
 * (on Debian: g++ pkg-config libgrpc++-dev protobuf-compiler-grpc).
 */
export async function buildCpp(): Promise<Cpp | null> {
  const flags = ask('pkg-config', ['--cflags', '--libs', 'grpc++', 'protobuf']);
  const plugin = ask('which', ['grpc_cpp_plugin']);
  if (flags === null || plugin === null || ask('g++', ['--version']) === null) return null;
  const cpp = { server: join(built, 'echo_server'), client: join(built, 'load_client') };
  await mkdir(built, { recursive: true });
  const contract = ['frame', 'model', 'classifier'].map((name) => `cytostream/v1/${name}`);
  const protos = contract.map((name) => `${name}.proto`);
  const outputs = [`--cpp_out=${built}`, `--grpc_out=${built}`];
  const generate = ['-I', join(packageRoot, 'proto'), `--plugin=protoc-gen-grpc=${plugin}`];
  const compile = async (
    source: string,
    output: string,
    more: readonly string[] = [],
  ): Promise<string> => {
    if (!(await isNewer(output, source))) {
      const args = ['-O2', '-std=c++17', '-I', built, source, ...more, '-o', output];
      await run('g++', [...args, ...(output.endsWith('.o') ? [] : flags.split(/\s+/))]);
    }
    return output;
  };
  if (!(await isNewer(cpp.server, join(packageRoot, 'proto/contract.binpb')))) {
    await run('protoc', [...generate, ...outputs, ...protos]);
  }
  const messages: string[] = [];
  for (const name of contract) {
    const path = join(built, name);
    messages.push(await compile(`${path}.pb.cc`, `${path}.o`, ['-c']));
  }
  const service = join(built, 'cytostream/v1/classifier.grpc.pb.cc');
  await compile(join(sources, 'load_client.cc'), cpp.client, messages);
  await compile(join(sources, 'echo_server.cc'), cpp.server, [...messages, service]);
  return cpp;
}

/** A Python with gRPC's C core and its compiler; null where there is none. */
export function findPython(): string | null {
  const asked = process.env['CYTOSTREAM_BENCH_PYTHON'];
  const needs = 'from grpc_tools import protoc; protoc._protos_and_services';
  for (const python of [asked, 'python3', '/usr/bin/python3']) {
    if (python !== undefined && ask(python, ['-c', needs]) !== null) return python;
  }
  return null;
}

/** The command with as many of its words before it as keep it on one core, where that can be arranged. */
export function pinned(core: number, command: readonly string[]): readonly string[] {
  return ask('taskset', ['--version']) === null
    ? command
    : ['taskset', '-c', `${core}`, ...command];
}

async function isNewer(one: string, other: string): Promise<boolean> {
  const [oneMs, otherMs] = await Promise.all(
    [one, other].map((path) =>
      stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  );
  return (oneMs ?? 0) > (otherMs ?? 0);
}

/** What a command prints; null where it is not there or fails. */
function ask(command: string, args: readonly string[]): string | null {
  try {
    return execFileSync(command, args, { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim();
  } catch {
    return null;
  }
}
