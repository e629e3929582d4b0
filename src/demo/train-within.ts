import { type FollowedRun, followRun, type Terminal } from '../cli/index.js';
import type { Client } from '../client/index.js';
import type { RunEvent, RunSpec } from '../training/index.js';

export interface TrainWithinOptions {
  readonly spec: Partial<RunSpec>;
  /** About how long the steps may take. The first epoch is always finished. */
  readonly budgetMs: number;
  readonly signal: AbortSignal;
}

/**
 * Trains on a server for about a budget of time, whatever the machine: the first
 * steps tell how many epochs fit, and the run is asked to stop after the last of them.
 */
export async function trainWithin(
  { spec, budgetMs, signal }: TrainWithinOptions,
  { client, terminal }: { readonly client: Client; readonly terminal: Terminal },
): Promise<FollowedRun | null> {
  let firstStepAtMs: number | null = null;
  let lastEpochAtMs: number | null = null;
  let hasAsked = false;
  let epochsToCome = spec.epochs ?? 1;

  async function* untilItIsTime(events: AsyncIterable<RunEvent>): AsyncGenerator<RunEvent> {
    for await (const event of events) {
      // The step at which the run hears that it is to stop belongs to no epoch any more.
      if (event.kind === 'step' && hasAsked) continue;
      if (event.kind === 'step') firstStepAtMs ??= event.atMs;
      if (event.kind === 'epoch' && firstStepAtMs !== null) {
        // An epoch, validation included, takes what the last took, or what they take on
        // average: one that something else on the machine held up says little of the next.
        const spentMs = event.atMs - firstStepAtMs;
        const lastMs = event.atMs - (lastEpochAtMs ?? firstStepAtMs);
        const epochMs = Math.min(lastMs, spentMs / event.epoch);
        lastEpochAtMs = event.atMs;
        epochsToCome = event.epoch + Math.max(0, Math.floor((budgetMs - spentMs) / epochMs));
        if (event.epoch >= epochsToCome) {
          hasAsked = true;
          await client.stopRun(event.runId, { signal });
        }
      }
      yield event;
    }
  }

  return followRun(
    untilItIsTime(client.train(spec, { signal })),
    {
      json: false,
      epochsToCome: (step) => {
        const spentMs = step.atMs - (firstStepAtMs ?? step.atMs);
        // Before the first epoch is over its steps are all there is to go by.
        if (step.epoch === 1 && step.step > 1) {
          const perEpochMs = (spentMs / (step.step - 1)) * step.stepsInEpoch;
          epochsToCome = Math.max(1, Math.floor(budgetMs / perEpochMs));
        }
        return epochsToCome;
      },
    },
    terminal,
  );
}
