import { Worker } from 'node:worker_threads';
import { DomainError, type ErrorCode } from '../errors.js';
import type { LabelSet } from '../label-set.js';
import type { BootstrapOptions } from './bootstrap.js';
import type { Comparison } from './compare.js';
import type { PredictionRow } from './predictions.js';
import type { Answers, ReportQuestion } from './questions.js';
import type { Report } from './report.js';
import { stackRows } from './stack-rows.js';

/** What the thread is started with. */
export interface ScoringData {
  readonly kind: keyof Answers;
  readonly question: Answers[keyof Answers]['question'];
  readonly options: Omit<BootstrapOptions, 'onProgress'>;
}

/** What it tells: how far its draws are, and last one answer or error. */
export type ScoringMessage =
  | { readonly kind: 'progress'; readonly done: number; readonly total: number }
  | { readonly kind: 'answer'; readonly answer: unknown }
  | { readonly kind: 'error'; readonly code: ErrorCode; readonly message: string };

export interface ScoringOptions extends BootstrapOptions {
  /** An abort ends the thread. */
  readonly signal?: AbortSignal | undefined;
}

/** One of two versions that answered the same frames. */
export interface Contender {
  /** "cells@3". */
  readonly ref: string;
  readonly rows: readonly PredictionRow[];
  readonly thresholds: readonly number[];
}

/**
 * Scores answers in a thread of their own, with intervals and doubted frames, so that the
 * caller's goes on with what it has to do: 20,000 frames of 28 labels take it some
 * seconds. The arrays of `scored` are the thread's from the call on.
 *
 * Throws as `score`, and `cancelled` or what else the signal says.
 */
export function reportInWorker(
  question: ReportQuestion,
  options: ScoringOptions = {},
): Promise<Report> {
  const { probabilities, targets } = question.scored;
  return ask('report', question, [probabilities, targets], options);
}

/**
 * Compares two versions as `compareScored` does, in a thread of its own.
 *
 * Throws `option_invalid` where the frames are not the same or their labels not known, and
 * what the signal says.
 */
export async function compareVersions(
  [a, b]: readonly [Contender, Contender],
  { labels, groups }: { readonly labels: LabelSet; readonly groups: readonly (string | null)[] },
  options: ScoringOptions = {},
): Promise<Comparison> {
  if (a.rows.length !== b.rows.length || a.rows.some(({ id }, at) => id !== b.rows[at]?.id)) {
    throw new DomainError('option_invalid', `expected the same frames for ${a.ref} and ${b.ref}`);
  }
  const toScored = ({ ref, rows, thresholds }: Contender) => ({
    ref,
    scored: stackRows(rows, labels, thresholds),
  });
  const contenders = [toScored(a), toScored(b)] as const;
  const owned = contenders.flatMap(({ scored }) => [scored.probabilities, scored.targets]);
  return ask('comparison', { contenders, groups }, owned, options);
}

async function ask<Kind extends keyof Answers>(
  kind: Kind,
  question: Answers[Kind]['question'],
  owned: readonly (Float64Array | Float32Array | Uint8Array)[],
  { signal, onProgress, ...options }: ScoringOptions,
): Promise<Answers[Kind]['answer']> {
  if (signal?.aborted) throw DomainError.from(signal.reason);
  const data: ScoringData = { kind, question, options };
  const worker = new Worker(new URL('./scoring-worker.js', import.meta.url), {
    name: 'scoring',
    workerData: data,
    transferList: owned.map(({ buffer }) => buffer as ArrayBuffer),
  });
  const ended = new AbortController();
  try {
    return await new Promise((resolve, reject) => {
      worker.on('message', (message: ScoringMessage) => {
        if (message.kind === 'progress') onProgress?.(message.done, message.total);
        else if (message.kind === 'error') reject(new DomainError(message.code, message.message));
        else resolve(message.answer as Answers[Kind]['answer']);
      });
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('bug: scoring ended without an answer')));
      signal?.addEventListener('abort', () => reject(DomainError.from(signal.reason)), {
        signal: ended.signal,
      });
    });
  } finally {
    ended.abort();
    await worker.terminate();
  }
}
