/** What became of frames, as those who sent them see it. */
export interface Tally {
  sent: number;
  /** Answers by their outcome. */
  readonly outcomes: Map<string, number>;
  /** Frames of streams that ended well without an answer. */
  lost: number;
  /** Answers to a frame that had one already, or that was never sent. */
  doubled: number;
  /** Answers that belong to another frame or to another version. */
  crossed: number;
}

export function createTally(): Tally {
  return { sent: 0, outcomes: new Map(), lost: 0, doubled: 0, crossed: 0 };
}

export function count(outcomes: Map<string, number>, outcome: string, frames = 1): void {
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + frames);
}

export function sum(outcomes: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const frames of outcomes.values()) total += frames;
  return total;
}
