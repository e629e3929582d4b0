import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { silentLog } from '../../src/log.js';
import { type ModelStore, openModelStore } from '../../src/models/index.js';
import {
  createTrainer,
  type RunEvent,
  type RunSpec,
  type Serving,
  type Trainer,
  type TrainerCollaborators,
  type TrainerOptions,
  type VersionStore,
} from '../../src/training/index.js';
import { startTrainerProcess, type TrainerProcess } from '../../src/training/trainer-process.js';
import { makeFolder } from '../make-folder.js';
import { newSpec } from './run-fixtures.js';
import { writeSmallDataset } from './small-dataset.js';

export interface TestTrainer {
  readonly trainer: Trainer;
  readonly folder: string;
  readonly runsDir: string;
  readonly models: ModelStore;
  readonly spec: RunSpec;
  /** Of each run, in their order. */
  readonly processes: readonly TrainerProcess[];
}

/** A trainer of 32×32 px networks with a dataset of its own; closed when the test ends. */
export async function openTestTrainer(
  t: ExecutionContext,
  {
    frameCount = 12,
    store,
    serving,
    promote,
    log = silentLog,
    ...options
  }: Partial<TrainerOptions> & {
    readonly frameCount?: number;
    readonly store?: VersionStore;
    readonly serving?: Serving;
    readonly log?: TrainerCollaborators['log'];
    readonly promote?: (name: string, version: number) => Promise<unknown>;
  } = {},
): Promise<TestTrainer> {
  const folder = await makeFolder(t);
  const dataPath = await writeSmallDataset(join(folder, 'cells'), frameCount);
  const runsDir = join(folder, 'runs');
  const models = await openModelStore(join(folder, 'models'));
  const processes: TrainerProcess[] = [];
  const trainer = createTrainer(
    {
      runsDir,
      threads: 1,
      graceMs: 0,
      ...options,
    },
    {
      log,
      store: store ?? models,
      ...(promote ? { promote } : {}),
      ...(serving ? { serving } : {}),
      startProcess: async (...given) => {
        const process = await startTrainerProcess(...given);
        processes.push(process);
        return process;
      },
    },
  );
  t.teardown(() => trainer.close());
  return {
    trainer,
    folder,
    runsDir,
    models,
    processes,
    spec: newSpec({
      dataPath,
      model: 'small',
      inputSpec: { widthPx: 32, heightPx: 32 },
      epochs: 2,
      batchSize: 4,
      trainingPart: 0.75,
      split: 'first',
      seed: 7,
    }),
  };
}

/** Every event of a run, up to its end or, sooner, one that `isEnough`. */
export async function follow(
  trainer: Trainer,
  runId: string,
  {
    from = 1,
    isEnough = () => false,
  }: { from?: number; isEnough?: (event: RunEvent) => boolean } = {},
): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of trainer.watch(runId, from, new AbortController().signal)) {
    events.push(event);
    if (isEnough(event)) break;
  }
  return events;
}
