import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A file system of its own that is soon full. */
export interface SmallDisk {
  readonly path: string;
  unmount(): Promise<void>;
}

/**
 * Mounts a tmpfs of so many MiB at this path; null where nobody may: it takes root, or a sudo that
 * asks for no password.
 */
export async function mountSmallDisk(path: string, sizeMib: number): Promise<SmallDisk | null> {
  await mkdir(path);
  const owner = `uid=${process.getuid?.()},gid=${process.getgid?.()}`;
  const words = ['-t', 'tmpfs', '-o', `size=${sizeMib}m,mode=700,${owner}`, 'none', path];
  for (const prefix of [[], ['sudo', '-n']]) {
    const [command = '', ...before] = [...prefix, 'mount'];
    const isMounted = await run(command, [...before, ...words]).then(
      () => true,
      () => false,
    );
    if (!isMounted) continue;
    const [unmount = '', ...first] = [...prefix, 'umount'];
    return {
      path,
      async unmount() {
        // Lazy: a process that was just killed may still have a file open.
        await run(unmount, [...first, '-l', path]);
      },
    };
  }
  return null;
}
