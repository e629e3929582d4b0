import type { Run, RunEvent } from '../training/index.js';
import { readConfig } from './config.js';

/** Where runs are kept: a folder, or a server. */
export interface RunsPlace {
  list(): Promise<readonly Run[]>;
  /** Throws `run_unknown`. */
  get(runId: string): Promise<Run>;
  /** Every event of a run from its first, then those still to come. */
  watch(runId: string, signal: AbortSignal): AsyncIterable<RunEvent>;
  /**
   * Takes up an interrupted run; its events from there on, to its end. With a folder, it
   * goes on in a process of this one and `stopping` asks it to end.
   * Throws `run_unknown`, `run_state`.
   */
  resume(runId: string, stopping: AbortSignal): AsyncIterable<RunEvent>;
  /** Ends a run after the step it is in. Throws `run_unknown`, `run_state`. */
  stop(runId: string): Promise<Run>;
  close(): Promise<void>;
}

export interface RunsPlaceOptions {
  readonly server?: string | undefined;
  readonly runs?: string | undefined;
  /** Where a run that is resumed publishes. */
  readonly models?: string | undefined;
}

/** Opens the runs of a server where one is named, else those of the folder. */
export async function openRunsPlace(options: RunsPlaceOptions): Promise<RunsPlace> {
  if (options.server === undefined) return openFolder(options);
  const { connect } = await import('../client/index.js');
  const client = connect(options.server);
  return {
    list: () => client.listRuns(),
    get: (runId) => client.getRun(runId),
    watch: (runId, signal) => client.watchRun(runId, 1, { signal }),
    resume: (runId, signal) => client.resumeRun(runId, { signal }),
    stop: (runId) => client.stopRun(runId),
    close: async () => client.close(),
  };
}

/** Runs of a folder are read and told to stop through their files, whichever process trains. */
async function openFolder({ runs, models }: RunsPlaceOptions): Promise<RunsPlace> {
  const { createRunStore } = await import('../training/index.js');
  const store = createRunStore(readConfig({ runsDir: runs }).runsDir);
  return {
    list: () => store.list(),
    get: (runId) => store.get(runId),
    watch: (runId, signal) => store.watch(runId, 1, signal),
    async *resume(runId, stopping) {
      const { openInPlace } = await import('./in-place.js');
      const { trainer, close } = await openInPlace({ runs, models });
      const ask = () => void trainer.stop(runId).catch(() => {}); // it may just have ended
      try {
        const { fromNumber } = await trainer.resume(runId);
        stopping.addEventListener('abort', ask);
        if (stopping.aborted) ask();
        yield* trainer.watch(runId, fromNumber, new AbortController().signal);
      } finally {
        stopping.removeEventListener('abort', ask);
        await close();
      }
    },
    stop: async (runId) => {
      await store.requestStop(runId);
      return store.get(runId);
    },
    close: () => store.close(),
  };
}
