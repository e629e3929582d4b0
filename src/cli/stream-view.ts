import { createHistogram } from 'node:perf_hooks';

/** What one frame of a stream got, for the screen. */
export interface ShownFrame {
  readonly frameId: string;
  /** From handed to the transport to answered, as the client saw it. */
  readonly latencyMs: number;
  /** Names of the labels that the frame was made with. */
  readonly truth: readonly string[];
  /** The most probable labels, the first first; empty when the outcome is not ok. */
  readonly top: readonly { readonly label: string; readonly probability: number }[];
  /** "ok", or the outcome and its message. */
  readonly outcome: string;
}

/** How a stream went. */
export interface StreamSummary {
  readonly frames: number;
  readonly ok: number;
  /** Frames whose most probable label is one that they were made with. */
  readonly hits: number;
  readonly framesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Collects the answers of a stream. */
export interface StreamView {
  add(shown: ShownFrame): void;
  summary(): StreamSummary;
}

/** `now` is `performance.now`, or a test's own clock in milliseconds. */
export function createStreamView(now: () => number = () => performance.now()): StreamView {
  // In microseconds: a histogram holds whole numbers.
  const latency = createHistogram();
  let firstAtMs: number | null = null;
  let frames = 0;
  let ok = 0;
  let hits = 0;
  return {
    add(shown) {
      firstAtMs ??= now() - shown.latencyMs;
      frames += 1;
      latency.record(Math.max(1, Math.round(shown.latencyMs * 1000)));
      if (shown.outcome === 'ok') ok += 1;
      if (isHit(shown)) hits += 1;
    },
    summary() {
      const seconds = firstAtMs === null ? 0 : (now() - firstAtMs) / 1000;
      return {
        frames,
        ok,
        hits,
        framesPerSecond: seconds > 0 ? frames / seconds : 0,
        p50Ms: frames === 0 ? 0 : latency.percentile(50) / 1000,
        p99Ms: frames === 0 ? 0 : latency.percentile(99) / 1000,
      };
    },
  };
}

const isHit = ({ top, truth }: ShownFrame) => top[0] !== undefined && truth.includes(top[0].label);

/** "200 frames  20.0 frames/s  latency p50 9.1 ms  p99 14.8 ms". */
export function formatHeadline(summary: StreamSummary): string {
  const lost = summary.frames - summary.ok;
  return [
    `${summary.frames} frames`,
    `${summary.framesPerSecond.toFixed(1)} frames/s`,
    `latency p50 ${summary.p50Ms.toFixed(1)} ms`,
    `p99 ${summary.p99Ms.toFixed(1)} ms`,
    ...(lost > 0 ? [`${lost} not ok`] : []),
  ].join('  ');
}

/**
 * One frame in one line of at most `columns` characters, with as many of its labels as fit;
 * a tick where its first label is true.
 */
export function formatFrame(shown: ShownFrame, columns: number): string {
  const [first = '', ...others] =
    shown.outcome === 'ok'
      ? shown.top.map(({ label, probability }) => `${label} ${probability.toFixed(2)}`)
      : [shown.outcome];
  let line =
    `${isHit(shown) ? '✔' : '·'} ${shown.frameId} ${shown.latencyMs.toFixed(1).padStart(6)} ms  ` +
    `truth ${shown.truth.join(' + ')}  got ${first}`;
  if (line.length > columns) return `${line.slice(0, columns - 1)}…`;
  // A label without its number says little: it is shown whole or not at all.
  for (const other of others) {
    if (line.length + 2 + other.length > columns) break;
    line = `${line}, ${other}`;
  }
  return line;
}
