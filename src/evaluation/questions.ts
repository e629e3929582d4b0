import { type BootstrapOptions, intervalsOf } from './bootstrap.js';
import { type Comparison, compareScored, type ScoredContender } from './compare.js';
import { findDoubts } from './doubts.js';
import { toRows } from './predictions.js';
import type { Report } from './report.js';
import { type Scored, score } from './score.js';

/** What a report is made of. */
export interface ReportQuestion {
  readonly scored: Scored;
  /** One a frame, in their order. */
  readonly ids: readonly string[];
  readonly groups: readonly (string | null)[];
  /** So many of the frames whose labels are doubted most. */
  readonly doubtCount: number;
}

/** What a comparison is made of. */
export interface ComparisonQuestion {
  readonly contenders: readonly [ScoredContender, ScoredContender];
  readonly groups: readonly (string | null)[];
}

/** What can be asked of a thread that scores, with what it answers. */
export interface Answers {
  readonly report: { readonly question: ReportQuestion; readonly answer: Report };
  readonly comparison: { readonly question: ComparisonQuestion; readonly answer: Comparison };
}

/** Answers each question; blocks its thread for some seconds where there are many frames. */
export const answers: {
  readonly [Kind in keyof Answers]: (
    question: Answers[Kind]['question'],
    options: BootstrapOptions,
  ) => Answers[Kind]['answer'];
} = {
  report({ scored, ids, groups, doubtCount }, options) {
    // First, so that a probability that is none is told before a thousand draws.
    const report = score(scored);
    const { labels } = scored;
    return {
      ...report,
      intervals: intervalsOf(scored, groups, options),
      doubts:
        doubtCount > 0
          ? findDoubts(toRows({ ids, ...scored }), labels.length).slice(0, doubtCount)
          : [],
    };
  },
  comparison: ({ contenders, groups }, options) => compareScored(contenders, groups, options),
};
