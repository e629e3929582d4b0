import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-root.js';

/** The built command line. */
const mainScript = join(packageRoot, 'dist', 'src', 'main.js');

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Leads a group of processes, so that a signal to `-pid` reaches all that it started. @default false */
  readonly isGroup?: boolean;
}

/** What a finished command left behind. */
export interface CliEnd {
  readonly stdout: string;
  readonly stderr: string;
  /** null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A command that is still going. */
export interface CliProcess {
  readonly child: ChildProcess;
  /** Resolves with the match as soon as either output has it; rejects when the command ends before. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
  readonly ended: Promise<CliEnd>;
}

/** Starts the built command line as a process of its own. */
export function startCli(args: readonly string[], options: CliOptions = {}): CliProcess {
  const child = spawn(process.execPath, [mainScript, ...args], {
    cwd: options.cwd ?? packageRoot,
    env: { ...process.env, ...options.env },
    detached: options.isGroup === true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const watchers = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    for (const watcher of watchers) watcher();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    for (const watcher of watchers) watcher();
  });
  const ended = new Promise<CliEnd>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve({ stdout, stderr, exitCode, signal }));
  });
  return {
    child,
    ended,
    waitFor: (pattern) =>
      new Promise((resolve, reject) => {
        const watcher = () => {
          const match = pattern.exec(stdout) ?? pattern.exec(stderr);
          if (match === null) return;
          watchers.delete(watcher);
          resolve(match);
        };
        watchers.add(watcher);
        watcher();
        void ended.then((end) =>
          reject(
            new Error(
              `ended with ${end.exitCode} before ${pattern}:\n${end.stdout}\n${end.stderr}`,
            ),
          ),
        );
      }),
  };
}

/** Runs the built command line to its end. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliEnd> {
  return startCli(args, options).ended;
}
