import { resolveDataPath } from '../dataset/index.js';
import { DomainError } from '../errors.js';
import type { Log } from '../log.js';
import type { RunAdmin } from '../rpc/index.js';
import type { Metrics } from '../telemetry/index.js';
import { parseRunSpec, type Trainer } from '../training/index.js';

export interface RunAdminCollaborators {
  readonly trainer: Trainer;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** The trainer as `TrainerService` sees it: datasets lie below the data roots, specs are checked. */
export function toRunAdmin(
  { dataRoots }: { readonly dataRoots: readonly string[] },
  { trainer, metrics, log }: RunAdminCollaborators,
): RunAdmin {
  /** Counts the events of a run, whoever watches it or not. */
  const count = async (runId: string, fromNumber = 1) => {
    try {
      const never = new AbortController().signal;
      for await (const { kind } of trainer.watch(runId, fromNumber, never)) metrics.runEvent(kind);
    } catch (error) {
      log.debug({ runId, error }, 'the events of a run are no longer counted');
    }
  };
  return {
    async start(given, runId) {
      const faults: string[] = [];
      const dataPath = await resolveDataPath(String(given['dataPath'] ?? ''), dataRoots).catch(
        (error: unknown) => {
          faults.push(`dataPath: ${DomainError.from(error).message}`);
          return '/'; // so that the other faults are found as well
        },
      );
      const parsed = parseRunSpec({ ...given, dataPath });
      if ('faults' in parsed) faults.push(...parsed.faults);
      if ('faults' in parsed || faults.length > 0) {
        throw new DomainError('option_invalid', faults.join('; '));
      }
      const run = await trainer.start(parsed.value, runId);
      void count(run.id);
      return run;
    },
    async resume(runId) {
      const resumed = await trainer.resume(runId);
      void count(runId, resumed.fromNumber);
      return resumed;
    },
    watch: (runId, fromNumber, signal) => trainer.watch(runId, fromNumber, signal),
    stop: async (runId) => trainer.stop(runId),
    get: async (runId) => trainer.get(runId),
    list: async () => trainer.list(),
  };
}
