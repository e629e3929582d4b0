import fc from 'fast-check';
import type { DomainError } from '../../src/errors.js';
import {
  type FairQueue,
  type Newcomer,
  type Priority,
  toPlace,
  type Waiting,
} from '../../src/queue/index.js';

/** Something that waits, and remembers why it had to go. */
export interface TestEntry extends Waiting {
  readonly name: number;
  shedWith: DomainError | null;
}

let made = 0;

/** One that was made later came later. */
export function entryOf(wish: Partial<Newcomer>, queue: FairQueue<TestEntry>): TestEntry {
  const entry: TestEntry = {
    ...toPlace(wish),
    byteLength: wish.byteLength ?? 1,
    whenFull: wish.whenFull ?? 'refuse',
    queuedAtMs: ++made,
    name: made,
    shedWith: null,
    shed(refusal) {
      queue.remove(entry);
      entry.shedWith = refusal;
    },
  };
  return entry;
}

export function takeAll(queue: FairQueue<TestEntry>): TestEntry[] {
  const taken: TestEntry[] = [];
  for (let next = queue.take(); next; next = queue.take()) taken.push(next);
  return taken;
}

export const priorityOf = fc.constantFrom<Priority>('high', 'normal', 'low');
export const streamOf = fc.constantFrom('a', 'b', 'c', 'd');
export const deadlineOf = fc.oneof(
  fc.integer({ min: 0, max: 9 }),
  fc.constant(Number.POSITIVE_INFINITY),
);
