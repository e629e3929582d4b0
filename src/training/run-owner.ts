import { readFile } from 'node:fs/promises';

/** The process that a Run belongs to. */
export interface RunOwner {
  readonly pid: number;
  /** When it began, in the system's own words; '' where the system does not tell. */
  readonly startTime: string;
}

/** This process. */
export async function thisOwner(): Promise<RunOwner> {
  return { pid: process.pid, startTime: await startTimeOf(process.pid) };
}

/**
 * Whether that very process still runs. In a container every server has the pid 1, so
 * that the time it began tells one from the next.
 */
export async function isAlive(owner: RunOwner): Promise<boolean> {
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: it is there, and someone else's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return (await startTimeOf(owner.pid)) === owner.startTime;
}

/** Field 22 of proc(5)'s stat: clock ticks from boot to the start of the process. */
async function startTimeOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The second field is the command in brackets and may itself hold spaces and brackets.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
