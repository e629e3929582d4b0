import type { Writable } from 'node:stream';
import cliProgress from 'cli-progress';
import { columnsOf, fitParts, wrapLine } from './fit-line.js';

export interface ProgressOptions {
  /** What is going on: "training". */
  readonly title: string;
  /** What is counted: "frames". */
  readonly unit: string;
  /** How many there will be; 0 while it is not known. */
  readonly total: number;
  /**
   * What was done before it is shown, and when that was so: it counts for no rate. By the
   * clock of `update`'s `atMs`. @default nothing, now
   */
  readonly begun?: { readonly done: number; readonly atMs: number };
}

/** Something that takes a while, shown while it goes. */
export interface Progress {
  /**
   * `done` of the total, and whatever else is worth knowing now: "epoch 3/9  loss 0.21", two
   * spaces between parts, of which a narrow terminal shows as many as fit. `atMs` is when
   * that was so, by the clock of who tells it: what is told late, as of a run that began
   * long ago, makes the same rate. @default now
   */
  update(done: number, remark?: string, atMs?: number): void;
  setTotal(total: number): void;
  /** Writes a line above the bar. */
  above(line: string): void;
  /** Ends the display; idempotent. */
  end(): void;
}

export interface ProgressCollaborators {
  readonly stream: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly onEnd?: () => void;
  /** @default performance.now */
  readonly now?: () => number;
}

/** The rate is that of the last minute: a slow start does not spoil it for good. */
const rateOverMs = 60_000;

/** How often a plain line is written where there is no terminal to draw on. */
const plainLineEveryMs = 10_000;

/**
 * A bar with rate and time left on a terminal. Anywhere else (a log, a pipe) at
 * most one plain line every ten seconds, and never a control code.
 */
export function createProgress(
  options: ProgressOptions,
  { stream, onEnd, now = () => performance.now() }: ProgressCollaborators,
): Progress {
  let { total } = options;
  let remark = '';
  let hasEnded = false;
  let heardAtMs = now();
  let lastLineAtMs = heardAtMs;
  let latest = options.begun ?? { atMs: heardAtMs, done: 0 };
  let samples = [latest];

  const describe = () => {
    const { done } = latest;
    const oldest = samples[0] ?? latest;
    // What has passed since it was heard is told by this clock, all before by the teller's.
    const elapsedMs = latest.atMs - oldest.atMs + (now() - heardAtMs);
    // Too little has been seen for a rate that would hold.
    const perSecond = elapsedMs < 500 ? null : ((done - oldest.done) * 1000) / elapsedMs;
    return progressParts({ ...options, total, done, remark, perSecond });
  };

  // A MultiBar of one bar, because only that knows how to write lines above itself.
  const bars =
    stream.isTTY === true
      ? new cliProgress.MultiBar({
          // Types say NodeJS.WritableStream, a terminal is one.
          stream: stream as unknown as NodeJS.WritableStream,
          fps: 10,
          forceRedraw: true,
          format: () => {
            const columns = columnsOf(stream) - 1;
            const parts = fitParts(describe(), columns - options.title.length - 1);
            const room = columns - parts.length - options.title.length - 4;
            const width = Math.max(0, Math.min(30, room));
            const filled =
              total > 0 ? Math.round((Math.min(latest.done, total) / total) * width) : 0;
            const drawn = width >= 8 ? `[${'='.repeat(filled)}${' '.repeat(width - filled)}] ` : '';
            return `${options.title} ${drawn}${parts}`;
          },
        })
      : null;
  const bar = bars?.create(Math.max(1, total), latest.done) ?? null;

  return {
    update(done, newRemark, atMs = now()) {
      if (hasEnded) return;
      latest = { atMs, done };
      heardAtMs = now();
      if (newRemark !== undefined) remark = newRemark;
      if (atMs - (samples.at(-1)?.atMs ?? 0) >= 500) {
        // One is kept, however old: a step may take more than a minute.
        const kept = samples.filter((sample) => atMs - sample.atMs <= rateOverMs);
        samples = [...(kept.length > 0 ? kept : samples.slice(-1)), latest];
      }
      if (bar !== null) {
        bar.update(done);
      } else if (now() - lastLineAtMs >= plainLineEveryMs) {
        lastLineAtMs = now();
        stream.write(`${options.title}: ${describe().join('  ')}\n`);
      }
    },
    setTotal(newTotal) {
      total = newTotal;
      bar?.setTotal(Math.max(1, total));
    },
    above(line) {
      if (bars === null) {
        stream.write(`${line}\n`);
        return;
      }
      // The bar switches the terminal's own wrapping off: what is too long would be lost.
      const lines = line.split('\n').flatMap((each) => wrapLine(each, columnsOf(stream)));
      bars.log(`${lines.join('\n')}\n`);
      bars.update();
    },
    end() {
      if (hasEnded) return;
      hasEnded = true;
      bars?.stop();
      onEnd?.();
    },
  };
}

/** "450/2000 frames", "22 %", "38.2 frames/s", "0:41 left", "loss 0.21": the most needed first. */
export function progressParts(state: {
  readonly unit: string;
  readonly total: number;
  readonly done: number;
  readonly remark: string;
  /** null while there is none to tell. */
  readonly perSecond: number | null;
}): readonly string[] {
  const { unit, total, done, remark, perSecond } = state;
  const parts = [total > 0 ? `${done}/${total} ${unit}` : `${done} ${unit}`];
  if (total > 0) parts.push(`${Math.floor((Math.min(done, total) / total) * 100)} %`);
  if (perSecond !== null && perSecond > 0) {
    parts.push(`${formatRate(perSecond)} ${unit}/s`);
    if (total > done) parts.push(`${formatDuration((total - done) / perSecond)} left`);
  }
  return remark === '' ? parts : [...parts, ...remark.split('  ')];
}

function formatRate(perSecond: number): string {
  if (perSecond >= 100) return perSecond.toFixed(0);
  return perSecond >= 1 ? perSecond.toFixed(1) : perSecond.toFixed(2);
}

/** Seconds as "0:41", "12:05" or "3:20:00". */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const clock = [Math.floor((whole % 3600) / 60), whole % 60];
  const hours = Math.floor(whole / 3600);
  return hours > 0
    ? [hours, ...clock.map((part) => String(part).padStart(2, '0'))].join(':')
    : `${clock[0]}:${String(clock[1]).padStart(2, '0')}`;
}
