import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A process that runs training steps when it is told to. */
export interface Stepper {
  /** What it says about itself. */
  readonly about: string;
  /** Milliseconds of one more step. */
  step(): Promise<number>;
  /** Ends it; its peak memory in MiB. */
  end(): Promise<number>;
}

/** Starts a command that steps; null when it ends before it is ready, as Python does without PyTorch. */
export async function startStepper(
  command: string,
  args: readonly string[],
): Promise<Stepper | null> {
  const child: ChildProcess = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = once(child, 'close');
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const read = async (): Promise<string | null> => (await lines.next()).value ?? null;
  const first = await read();
  if (!first?.startsWith('ready')) {
    await ended;
    return null;
  }
  const readNumber = async (): Promise<number> => {
    const line = await read();
    if (line === null) throw new Error(`${command} ended in the middle of the benchmark`);
    return Number(line);
  };
  return {
    about: first.slice('ready'.length).trim(),
    step() {
      child.stdin!.write('\n');
      return readNumber();
    },
    async end() {
      child.stdin!.end();
      const peakMib = await readNumber();
      await ended;
      return peakMib;
    },
  };
}

/** Starts training-step-process.ts with the words that it documents. */
export async function startOurStepper(words: readonly (string | number)[]): Promise<Stepper> {
  const script = fileURLToPath(new URL('./training-step-process.js', import.meta.url));
  const stepper = await startStepper(process.execPath, [script, ...words.map(String)]);
  if (stepper === null) throw new Error('the training step did not start');
  return stepper;
}
