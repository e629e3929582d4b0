import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Arrivals } from './open-loop.js';

/** What the load in C++ is to send. */
export interface CppLoadOptions {
  readonly port: number;
  readonly streams: number;
  readonly seconds: number;
  /** Frames of all streams, by the clock; without it each stream sends as fast as it is read. */
  readonly byClock?: { readonly framesPerSecond: number; readonly arrivals: Arrivals };
}

/** What it prints: see bench/yardstick/load_client.cc. */
export interface CppLoadResult {
  readonly sent: number;
  /** Answers that are ok. */
  readonly answered: number;
  readonly elapsedMs: number;
  /** Of a frame from the moment it was due; with `byClock` only. */
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly maxMs?: number;
}

/** Sends a frame from a process of its own. */
export type CppLoad = (options: CppLoadOptions) => Promise<CppLoadResult>;

/**
 * Makes a load of one encoded frame, after the encoded options of its stream if there are any,
 * that costs less than any server it is put on. `wrap` may put words before the command.
 */
export async function makeCppLoad(
  client: string,
  {
    folder,
    frame,
    options,
    wrap = (command) => command,
  }: {
    /** Where the messages are kept for it, and nothing else; made if it is not there. */
    readonly folder: string;
    readonly frame: Buffer;
    readonly options?: Buffer;
    readonly wrap?: (command: readonly string[]) => readonly string[];
  },
): Promise<CppLoad> {
  const framePath = join(folder, 'frame');
  const optionsPath = options ? join(folder, 'options') : '';
  await mkdir(folder, { recursive: true });
  await writeFile(framePath, frame);
  if (options) await writeFile(optionsPath, options);
  return async ({ port, streams, seconds, byClock }) => {
    const clock = byClock ? [`${byClock.framesPerSecond}`, byClock.arrivals] : [];
    const what = [framePath, optionsPath, `${streams}`, `${seconds}`, ...clock];
    const [program = '', ...args] = wrap([client, `127.0.0.1:${port}`, ...what]);
    const { stdout } = await promisify(execFile)(program, args);
    return JSON.parse(stdout) as CppLoadResult;
  };
}
