import type { EpochScores, RunEvent, RunState } from '../training/index.js';
import type { Progress, ProgressOptions } from './progress.js';
import type { Terminal } from './terminal.js';

/** How a run that was followed came out. */
export interface FollowedRun {
  readonly runId: string;
  readonly state: Exclude<RunState, 'running'>;
  readonly reason: string;
  readonly published: { readonly model: string; readonly version: number } | null;
  /** The epoch whose weights were kept; null when none was finished. */
  readonly best: EpochScores | null;
}

export interface FollowOptions {
  /** One event a line on standard output, instead of text. */
  readonly json: boolean;
  /** Called once, as soon as the run has a name. */
  readonly onStarted?: (runId: string) => void;
  /**
   * How many epochs there will be, where something else than the spec decides it;
   * asked at every step. @default the spec's
   */
  readonly epochsToCome?: (step: RunEvent & { readonly kind: 'step' }) => number;
}

/**
 * Shows a run while it goes: a bar with the time left if no epoch is spared, and a
 * line an epoch. Returns null when the events end before the run does.
 */
export async function followRun(
  events: AsyncIterable<RunEvent>,
  { json, onStarted, epochsToCome }: FollowOptions,
  terminal: Terminal,
): Promise<FollowedRun | null> {
  let epochs = 0;
  let best: EpochScores | null = null;
  let newest: EpochScores | null = null;
  let published: FollowedRun['published'] = null;
  let end: FollowedRun | null = null;
  let isFirst = true;
  let bar: { readonly title: string; readonly progress: Progress } | null = null;
  /** What the first event of a bar tells was done before the bar: a run may have gone on. */
  const show = (
    { title, unit, total }: ProgressOptions,
    done: number,
    { atMs, remark }: { readonly atMs: number; readonly remark?: string },
  ): void => {
    if (bar?.title !== title) {
      bar?.progress.end();
      const begun = { done, atMs };
      bar = { title, progress: terminal.progress({ title, unit, total, begun }) };
    }
    bar.progress.setTotal(total);
    bar.progress.update(done, remark, atMs);
  };
  const endBar = () => {
    bar?.progress.end();
    bar = null;
  };
  const say = (line: string) => (json ? undefined : terminal.print(line));

  try {
    for await (const event of events) {
      if (isFirst) onStarted?.(event.runId);
      isFirst = false;
      if (json) terminal.print(JSON.stringify(event));
      switch (event.kind) {
        case 'started':
          epochs = event.spec.epochs;
          if (event.stepsDone > 0) say(`going on after step ${event.stepsDone}`);
          say(
            `run ${event.runId}: ${event.spec.network}, ${event.parameterCount.toLocaleString('en')} parameters, ` +
              `${event.trainingFrames} frames train, ${event.validationFrames} validate`,
          );
          for (const line of describeParent(event)) say(line);
          if (event.device !== '') say(`it trains on ${describeDevice(event)}`);
          break;
        case 'framesLoaded':
          show({ title: 'loading', unit: 'frames', total: event.total }, event.loaded, event);
          if (event.loaded === event.total) endBar();
          break;
        case 'step': {
          epochs = epochsToCome?.(event) ?? epochs;
          const { epoch, step, stepsInEpoch, loss, framesPerSecond, atMs } = event;
          const remark = [
            `epoch ${epoch}/${epochs}`,
            `loss ${loss.toFixed(4)}`,
            ...(newest
              ? [`F1, labels present ${formatScore(newest.validationMacroF1Present)}`]
              : []),
            `${framesPerSecond.toFixed(1)} frames/s`,
          ].join('  ');
          show(
            { title: 'training', unit: 'steps', total: epochs * stepsInEpoch },
            (epoch - 1) * stepsInEpoch + step,
            { atMs, remark },
          );
          break;
        }
        case 'epoch':
          newest = event;
          if (event.best) best = event;
          say(describeEpoch(event, epochs));
          if (epochsToCome === undefined && event.epoch >= epochs) {
            // What is left takes a while on large sets, and a full bar would seem to hang.
            endBar();
            say(
              `exporting the weights of epoch ${best?.epoch ?? event.epoch}, checking them and choosing thresholds`,
            );
          }
          break;
        case 'published':
          published = { model: event.model, version: event.version };
          break;
        case 'ended':
          endBar();
          end = { runId: event.runId, state: event.state, reason: event.reason, published, best };
          break;
        case 'resumed':
          // The end before it was none.
          if (end) say(`${end.reason}; resumed`);
          end = null;
      }
    }
    return end;
  } finally {
    endBar();
  }
}

/** Where a run trains, and why not elsewhere. */
export function describeDevice({
  device,
  deviceNote,
}: {
  readonly device: string;
  readonly deviceNote: string;
}): string {
  return deviceNote === '' ? device : `${device} (${deviceNote})`;
}

/** What the version that a run begins with has seen, as far as it changes the run. */
function describeParent({
  spec: { parent },
  movedFrames,
  isParentUnknown,
}: RunEvent & { readonly kind: 'started' }): readonly string[] {
  return [
    ...(movedFrames > 0
      ? [
          `${movedFrames} frames were to validate or be held out that ${parent} has seen, or others of their fields: those that it was trained on train, the others validate`,
        ]
      : []),
    ...(isParentUnknown
      ? [`UNKNOWN which frames ${parent} was trained on: it may know some that validate`]
      : []),
  ];
}

/** "0.1250", or "-" where a score is not defined or was not kept. */
export function formatScore(score: number | null | undefined): string {
  return score === null || score === undefined || Number.isNaN(score) ? '-' : score.toFixed(4);
}

/** The scores of an epoch as some release kept them: null or not there is one that is none. */
export type KeptScores = { readonly [Score in keyof EpochScores]?: EpochScores[Score] | null };

/**
 * One epoch in one line; accuracy never without what "no" to everything reaches. F1 and
 * average precision are macro means over the labels present, of validation first.
 */
export function describeEpoch(scores: KeptScores, epochs: number): string {
  return [
    `epoch ${String(scores.epoch).padStart(String(epochs).length)}/${epochs}`,
    `loss ${formatScore(scores.trainingLoss)}`,
    `validation loss ${formatScore(scores.validationLoss)}`,
    `macro F1, labels present ${formatScore(scores.validationMacroF1Present)} (training ${formatScore(scores.trainingMacroF1Present)})`,
    `average precision ${formatScore(scores.validationMacroAveragePrecisionPresent)} (training ${formatScore(scores.trainingMacroAveragePrecisionPresent)})`,
    `accuracy ${formatScore(scores.validationAccuracy)} ("no" ${formatScore(scores.alwaysNoAccuracy)})`,
    `${scores.seconds?.toFixed(1) ?? '-'} s${scores.best ? '  best' : ''}`,
  ].join('  ');
}
