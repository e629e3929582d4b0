import type { Run, RunEvent } from '../training/index.js';
import { readConfig } from './config.js';

/** Where runs are kept: a folder, or a server. */
export interface RunsPlace {
  list(): Promise<readonly Run[]>;
  /** Throws `run_unknown`. */
  get(runId: string): Promise<Run>;
  /** Every event of a run from its first, then those still to come. */
  watch(runId: string, signal: AbortSignal): AsyncIterable<RunEvent>;
  /** Ends a run after the step it is in. Throws `run_unknown`, `run_state`. */
  stop(runId: string): Promise<Run>;
  close(): Promise<void>;
}

export interface RunsPlaceOptions {
  readonly server?: string | undefined;
  readonly runs?: string | undefined;
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
    stop: (runId) => client.stopRun(runId),
    close: async () => client.close(),
  };
}

/** Runs of a folder are read and told to stop through their files, whichever process trains. */
async function openFolder({ runs }: RunsPlaceOptions): Promise<RunsPlace> {
  const { createRunStore } = await import('../training/index.js');
  const store = createRunStore(readConfig({ runsDir: runs }).runsDir);
  return {
    list: () => store.list(),
    get: (runId) => store.get(runId),
    watch: (runId, signal) => store.watch(runId, 1, signal),
    stop: async (runId) => {
      await store.requestStop(runId);
      return store.get(runId);
    },
    close: () => store.close(),
  };
}
