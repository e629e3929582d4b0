import { existsSync } from 'node:fs';
import { copyFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurably } from '../src/files/index.js';
import { completeSpec, type OpenRunSpec } from '../src/training/index.js';
import type { Outcome } from '../src/training/process/messages.js';
import { trainRun } from '../src/training/process/train-run.js';
import { createRunFolder, runFiles } from '../src/training/run-folder.js';
import { thisOwner } from '../src/training/run-owner.js';

/** The weights that a training begins with, in place of drawn ones. */
export interface Beginning {
  /** Path of the served graph. */
  readonly model: string;
  /** That its answers were divided by. */
  readonly temperature: number;
}

export interface TrainingOptions {
  /** As its lines are headed: "resnet-small, seed 1". */
  readonly title: string;
  readonly spec: OpenRunSpec;
  readonly beginning: Beginning | null;
  /** Its own; what an earlier call left there half done is taken up. */
  readonly place: string;
  /** Where prepared frames are kept for all. */
  readonly frameCache: string;
  readonly threads: number;
}

/** How it came out, and what it took. */
export interface Trained {
  readonly outcome: Outcome;
  /** Of the run: its exported model lies there. */
  readonly folder: string;
  readonly trainingFrames: number;
  readonly validationFrames: number;
  readonly epochs: number;
  /** Of all threads, from the start of the run to its exported model. */
  readonly cpuSeconds: number;
}

/** Trains as a server's training process does, in this process. */
export async function trainInPlace(
  { title, spec: asked, beginning, place, frameCache, threads }: TrainingOptions,
  print: (line: string) => void,
): Promise<Trained> {
  const spec = completeSpec(asked, null);
  const folder = join(place, 'run');
  const isKept = existsSync(join(folder, runFiles.last));
  if (!isKept) {
    await rm(folder, { recursive: true, force: true });
    await createRunFolder(folder, {
      ...{ runId: 'run', spec },
      ...{ startedAtMs: Date.now(), owner: await thisOwner() },
    });
    if (beginning) await copyFile(beginning.model, join(folder, runFiles.parent));
  }
  const cpu = await createCpuMeter(join(place, 'cpu.json'), isKept);
  let parts = { trainingFrames: 0, validationFrames: 0 };
  let epochs = 0;
  const outcome = await trainRun(
    {
      ...{ folder, devices: ['cpu'], stepsPerCall: 0, tensorflowPackage: null, threads, share: 1 },
      checkpointEveryMs: 60_000,
      frameCache: { folder: frameCache, maxBytes: 2 ** 31 },
      resumed: isKept ? { epochsTold: 0 } : null,
      parent: beginning && { temperature: beginning.temperature, givesHead: true },
    },
    {
      tell(event) {
        if (event.kind === 'started') parts = event;
        if (event.kind !== 'epoch') return;
        epochs = event.epoch;
        cpu.note();
        print(
          `${title}, epoch ${event.epoch}/${spec.epochs}: loss ${event.trainingLoss.toFixed(4)}, validation ${event.validationLoss.toFixed(4)}, average precision ${event.validationMacroAveragePrecisionPresent.toFixed(3)}, ${cpu.seconds().toFixed(0)} s of CPU`,
        );
      },
      warn: (message, thrown) => print(`${message}: ${thrown}`),
      isStopRequested: () => false,
      rest: async () => undefined,
    },
  );
  const { trainingFrames, validationFrames } = parts;
  return {
    ...{ outcome, folder, trainingFrames, validationFrames, epochs },
    cpuSeconds: cpu.seconds(),
  };
}

/** CPU seconds of all threads from now on. */
export function countCpu(): () => number {
  const start = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1e6;
  };
}

/** CPU seconds of a run, also of one that several processes worked on. */
async function createCpuMeter(path: string, goesOn: boolean) {
  const before = goesOn && existsSync(path) ? Number(await readFile(path, 'utf8')) : 0;
  const counted = countCpu();
  const seconds = (): number => before + counted();
  const note = (): void => {
    // Without it only the seconds of an interrupted run are too few.
    writeDurably(path, [Buffer.from(String(seconds()))]).catch(() => undefined);
  };
  return { seconds, note };
}
