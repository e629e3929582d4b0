import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const MiB = 2 ** 20;

/** Memory that a process holds, in MiB, as the system sees it. */
export function residentMib(pid: number): number {
  try {
    const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    if (kib !== undefined) return (Number(kib) * 1024) / MiB;
  } catch {
    // not Linux
  }
  const kib = execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
  return (Number(kib) * 1024) / MiB;
}
