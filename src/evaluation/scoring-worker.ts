import { parentPort, workerData } from 'node:worker_threads';
import { DomainError } from '../errors.js';
import { answers } from './questions.js';
import type { ScoringData, ScoringMessage } from './scoring.js';

/** Progress is told at most so often. */
const tellEveryMs = 100;

const tell = (message: ScoringMessage) => parentPort?.postMessage(message);
const { kind, question, options } = workerData as ScoringData;
let toldAtMs = Number.NEGATIVE_INFINITY;
try {
  const answer = answers[kind](question as never, {
    ...options,
    onProgress: (done, total) => {
      if (performance.now() - toldAtMs < tellEveryMs && done < total) return;
      toldAtMs = performance.now();
      tell({ kind: 'progress', done, total });
    },
  });
  tell({ kind: 'answer', answer });
} catch (thrown) {
  // An error of ours would cross as a plain one, without its code.
  const error = DomainError.from(thrown);
  if (error.code === 'internal') throw thrown;
  tell({ kind: 'error', code: error.code, message: error.message });
}
