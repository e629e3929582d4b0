import type { Delivery } from '../wire/enums.js';

/** Puts answers into the order that a stream asked for. */
export interface Outbox<Answer> {
  /** `position` counts the frames of the stream from 0; each exactly once. */
  put(position: number, answer: Answer): void;
  /** Answers that wait for one before them. */
  readonly held: number;
}

/** `asCompleted` hands each answer on at once; `inOrder` holds it until those before it are there. */
export function createOutbox<Answer>(
  delivery: Delivery,
  send: (answer: Answer) => void,
): Outbox<Answer> {
  if (delivery === 'asCompleted') {
    return { put: (_position, answer) => send(answer), held: 0 };
  }
  const held = new Map<number, Answer>();
  let next = 0;
  return {
    put(position, answer) {
      held.set(position, answer);
      for (let ready = held.get(next); ready !== undefined; ready = held.get(next)) {
        held.delete(next);
        next += 1;
        send(ready);
      }
    },
    get held() {
      return held.size;
    },
  };
}
