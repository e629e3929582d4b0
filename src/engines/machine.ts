import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** What a check of a device may ask of the machine; a test answers in its place. */
export interface Machine {
  /** "linux-x64". */
  readonly platform: string;
  /** Folders that the loader searches before its own list: `LD_LIBRARY_PATH`. */
  readonly libraryFolders: readonly string[];
  /** GPUs that CUDA may see: `CUDA_VISIBLE_DEVICES`; null where it may see all. */
  readonly visibleGpus: string | null;
  /** Folder of ONNX Runtime's own library, where its providers belong. */
  readonly runtimeFolder: string;
  exists(path: string): boolean;
  /** Names in a folder; none where there is no folder. */
  list(path: string): readonly string[];
  /** The file that a link leads to. */
  realPath(path: string): Promise<string>;
  /** What a program prints; null where it is missing, fails or takes longer than 10 s. */
  run(program: string, words: readonly string[]): Promise<string | null>;
}

/** The machine that this process runs on. */
export function createMachine(): Machine {
  const platform = `${process.platform}-${process.arch}`;
  // .../onnxruntime-node/dist/index.js, and its library in .../bin/napi-v6/PLATFORM/ARCH
  const runtime = createRequire(import.meta.url).resolve('onnxruntime-node');
  return {
    platform,
    libraryFolders: (process.env['LD_LIBRARY_PATH'] ?? '').split(':').filter((path) => path !== ''),
    visibleGpus: process.env['CUDA_VISIBLE_DEVICES'] ?? null,
    runtimeFolder: join(dirname(runtime), '../bin/napi-v6', process.platform, process.arch),
    exists: existsSync,
    list: (path) => (existsSync(path) ? readdirSync(path) : []),
    realPath: (path) => realpath(path),
    run: (program, words) =>
      new Promise((resolve) => {
        execFile(program, [...words], { timeout: 10_000 }, (error, stdout) =>
          resolve(error === null ? stdout : null),
        );
      }),
  };
}

/** Where the loader finds a library by its name, links followed; null where it does not. */
export async function findLibrary(machine: Machine, name: string): Promise<string | null> {
  for (const folder of machine.libraryFolders) {
    const path = join(folder, name);
    if (machine.exists(path)) return machine.realPath(path);
  }
  // Debian keeps ldconfig out of the path of everyone but root.
  const listed =
    (await machine.run('ldconfig', ['-p'])) ?? (await machine.run('/sbin/ldconfig', ['-p'])) ?? '';
  const line = listed.split('\n').find((each) => each.trim().startsWith(`${name} `));
  const path = line?.split(' => ')[1]?.trim();
  return path === undefined ? null : machine.realPath(path);
}
