import { type FollowedRun, followRun, type Terminal } from '../cli/index.js';
import type { Client } from '../client/index.js';
import type { RunEvent, RunSpec } from '../training/index.js';

export interface TrainWithinOptions {
  readonly spec: Partial<RunSpec> & Pick<RunSpec, 'epochs'>;
  /** About how long the steps may take at most. The first epoch is always finished. */
  readonly budgetMs: number;
  readonly signal: AbortSignal;
}

export interface TrainedWithin extends FollowedRun {
  /** Whether time ran out before all epochs of the spec were done. */
  readonly isCut: boolean;
}

/** What is asked of a Client here. */
export interface RunClient extends Pick<Client, 'train'> {
  stopRun(...args: Parameters<Client['stopRun']>): Promise<unknown>;
}

/**
 * Trains on a server, within about a budget of time on a slow machine too: the first
 * steps tell how many epochs fit, and where those are fewer than the spec's the run is
 * asked to stop after the last of them.
 */
export async function trainWithin(
  { spec, budgetMs, signal }: TrainWithinOptions,
  { client, terminal }: { readonly client: RunClient; readonly terminal: Terminal },
): Promise<TrainedWithin | null> {
  let firstStepAtMs: number | null = null;
  let lastEpochAtMs: number | null = null;
  let hasAsked = false;
  let epochsToCome = spec.epochs;

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
        const fitting = event.epoch + Math.max(0, Math.floor((budgetMs - spentMs) / epochMs));
        epochsToCome = Math.min(spec.epochs, fitting);
        if (event.epoch >= epochsToCome && event.epoch < spec.epochs) {
          hasAsked = true;
          await client.stopRun(event.runId, { signal });
        }
      }
      yield event;
    }
  }

  const run = await followRun(
    untilItIsTime(client.train(spec, { signal })),
    {
      json: false,
      epochsToCome: (step) => {
        const spentMs = step.atMs - (firstStepAtMs ?? step.atMs);
        // Before the first epoch is over its steps are all there is to go by.
        if (step.epoch === 1 && step.step > 1) {
          const perEpochMs = (spentMs / (step.step - 1)) * step.stepsInEpoch;
          const fitting = Math.max(1, Math.floor(budgetMs / perEpochMs));
          epochsToCome = Math.min(spec.epochs, fitting);
        }
        return epochsToCome;
      },
    },
    terminal,
  );
  return run === null ? null : { ...run, isCut: hasAsked };
}
