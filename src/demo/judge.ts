/** What a demo's training was given, and what is asked of what came out. */
export interface Judged {
  /** Over all labels, on the held-out frames. */
  readonly macroF1: number;
  /** What the caller asks for, whatever the training was given; null for what the recipe promises. */
  readonly asked: number | null;
  /** What the recipe promises of a training that had all its frames and epochs; 0 promises nothing. */
  readonly promised: number;
  /** Whether time ran out before the last epoch. */
  readonly isCut: boolean;
  /** Whether it had fewer frames than the recipe is made for. */
  readonly isSmall: boolean;
}

/**
 * Says what became of the check of macro F1, also where there was none: that must not be
 * taken for one that was passed. Throws an `Error` where the score is too low.
 */
export function judge({ macroF1, asked, promised, isCut, isSmall }: Judged): string {
  const reached = `macro F1 ${macroF1.toFixed(3)}`;
  if (asked === null && promised === 0) return `${reached}: nothing is promised of this network`;
  if (asked === null && (isCut || isSmall)) {
    const why = isCut ? 'its time ran out, see --seconds' : 'it had too few frames, see --frames';
    return `${reached}: NOT CHECKED against the ${promised} of a whole training, since ${why}`;
  }
  const least = asked ?? promised;
  if (macroF1 < least) {
    throw new Error(
      `expected macro F1 of at least ${least} on the held-out frames, got ${macroF1.toFixed(3)}`,
    );
  }
  return `${reached}: checked, at least ${least} was expected`;
}
