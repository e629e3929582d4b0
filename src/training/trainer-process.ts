import { fork } from 'node:child_process';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DomainError } from '../errors.js';
import type {
  Outcome,
  ParentMessage,
  ProcessEvent,
  ProcessMessage,
  ProcessOptions,
} from './process/messages.js';

/** A training in a process of its own. */
export interface TrainerProcess {
  /** Settles once the process is gone; a crash or a kill is an outcome too. Never rejects. */
  readonly outcome: Promise<Outcome>;
  readonly pid: number | undefined;
  /** Tells it whether frames are being served, so that it makes room for them. */
  setServing(isServing: boolean): void;
  /** Ends it at once. */
  kill(): void;
}

/**
 * Starts the training of a run's folder. Events come in order, each before `outcome`.
 * What the process prints goes to `trainer.log` in the folder.
 *
 * Throws `storage_failed` where that file cannot be written.
 */
export async function startTrainerProcess(
  options: ProcessOptions,
  { onEvent }: { readonly onEvent: (event: ProcessEvent) => void },
): Promise<TrainerProcess> {
  const output = await openOutput(join(options.folder, 'trainer.log'));
  const entry = fileURLToPath(new URL('./process/main.js', import.meta.url));
  // Flags of this process, such as a debugger's port, are not the child's.
  const start = () => {
    try {
      return fork(entry, [JSON.stringify(options)], {
        execArgv: [],
        stdio: ['ignore', output.fd, output.fd, 'ipc'],
      });
    } finally {
      // The process has it as its own by now. Not waited for: its messages would be missed.
      output.close().catch(() => {});
    }
  };
  const child = start();
  let told: Outcome | null = null;
  child.on('message', (message) => {
    const known = message as ProcessMessage; // its one sender is process/main.ts
    if (known.kind === 'event') onEvent(known.event);
    else told = known.outcome;
  });

  const outcome = new Promise<Outcome>((resolve) => {
    let crash: string | null = null;
    // An exit may be heard before the last messages are, a disconnect never is.
    const settle = () => {
      if (crash === null || child.connected) return;
      resolve(told ?? { state: 'failed', reason: crash, exported: null });
    };
    child.once('exit', (code, signal) => {
      crash = describeExit(code, signal);
      settle();
    });
    child.once('disconnect', settle);
    child.once('error', (error) => {
      crash ??= `the trainer process could not be started: ${(error as NodeJS.ErrnoException).code ?? error.name}`;
      settle();
    });
  });

  return {
    outcome,
    pid: child.pid,
    setServing(isServing) {
      // One that has ended needs no room, and has said so itself.
      if (child.connected) child.send({ isServing } satisfies ParentMessage, () => {});
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

function describeExit(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === null) return `the trainer process ended with exit code ${code}`;
  const hint = signal === 'SIGKILL' ? ', by hand or for want of memory' : '';
  return `the trainer process was ended by ${signal}${hint}`;
}

async function openOutput(path: string): Promise<FileHandle> {
  return open(path, 'a').catch((cause: unknown) => {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw new DomainError(
      'storage_failed',
      `expected a run's folder that can be written, the file system refused (${reason})`,
      { cause },
    );
  });
}
