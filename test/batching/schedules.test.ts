import test from 'ava';
import fc from 'fast-check';
import { createBatcher, type DropReason, type Priority } from '../../src/batching/index.js';
import { DomainError } from '../../src/errors.js';
import { createFakeClock } from '../fake-clock.js';
import { createPuppetRun, rowBytes, rowOf, settle, tensorOf, watch } from './puppet-run.js';

type Action =
  | {
      readonly kind: 'submit';
      readonly stream: number;
      readonly priority: Priority;
      readonly deadlineMs: number | null;
    }
  | { readonly kind: 'abort'; readonly ticket: number }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'answer'; readonly runMs: number }
  | { readonly kind: 'fail'; readonly code: 'model_failed' | 'not_ready' };

const submit = fc.record({
  kind: fc.constant('submit' as const),
  stream: fc.nat({ max: 3 }),
  priority: fc.constantFrom<Priority>('high', 'normal', 'low'),
  deadlineMs: fc.option(fc.integer({ min: -2, max: 40 }), { freq: 2 }),
});
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: submit },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('abort' as const), ticket: fc.nat(30) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      ms: fc.integer({ min: 1, max: 15 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      runMs: fc.integer({ min: 1, max: 12 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('fail' as const),
      code: fc.constantFrom('model_failed' as const, 'not_ready' as const),
    }),
  },
);

const batchSizes = [1, 2, 4];
const maxQueuedFrames = 6;
const maxStreamFrames = 4;

/** Plays one schedule and throws at the first promise of the Batcher that is broken. */
async function play(
  actions: readonly Action[],
  maxDelayMs: number,
  isWarm: boolean,
  lanes: number,
): Promise<void> {
  const clock = createFakeClock();
  const puppet = createPuppetRun();
  const dropped: DropReason[] = [];
  const onDropped = (reason: DropReason) => dropped.push(reason);
  // In bytes one more than in frames, so that either bound is met.
  const options = {
    batchSizes,
    maxQueuedFrames,
    maxQueuedBytes: 7 * rowBytes,
    maxStreamFrames,
    maxStreamBytes: 5 * rowBytes,
    maxDelayMs,
  };
  const warmRunMs = new Map(isWarm ? batchSizes.map((size) => [size, 1 + size] as const) : []);
  const batcher = createBatcher(options, { run: puppet.run, lanes, clock, onDropped, warmRunMs });
  const tickets: {
    readonly number: number;
    readonly stream: string;
    readonly controller: AbortController;
    readonly deadlineAtMs: number;
    readonly seen: ReturnType<typeof watch<{ readonly probabilities: Float32Array }>>;
  }[] = [];
  let runsSeen = 0;
  let canExceed = 0;

  const check = () => {
    const fault = (what: string): never => {
      throw new Error(what);
    };
    if (puppet.mostOpen > 2 * lanes) fault('three batches of a lane were with the engine');
    for (const { number, deadlineAtMs, seen, controller } of tickets) {
      if (seen.settled > 1) fault(`ticket ${number} settled twice`);
      if (seen.settled === 0 && deadlineAtMs <= clock.now()) fault(`ticket ${number} is late`);
      if (seen.settled === 0 && controller.signal.aborted) fault(`ticket ${number} was left`);
      if (seen.value && `${[...seen.value.probabilities]}` !== `${rowOf(number)}`) {
        fault(`ticket ${number} got the row of another`);
      }
      if (seen.error && !(seen.error instanceof DomainError)) fault(`threw ${seen.error}`);
    }
    for (; runsSeen < puppet.calls.length; runsSeen += 1) {
      const { batchSize, numbers } = puppet.calls[runsSeen] ?? puppet.last();
      if (!batchSizes.includes(batchSize)) fault(`a batch of ${batchSize} was run`);
      if (numbers.length !== batchSize) fault(`${numbers.length} rows in ${batchSize}`);
    }
    for (const stream of ['0', '1', '2', '3']) {
      const unsettled = tickets.filter(
        (ticket) => ticket.stream === stream && ticket.seen.settled === 0,
      );
      const most = maxStreamFrames + 2 * lanes * (batchSizes.at(-1) ?? 0);
      if (unsettled.length > most) fault(`stream ${stream} holds ${unsettled.length} frames`);
    }
    // Batches that are tried again go back into a queue that may have filled up meanwhile.
    if (batcher.queuedFrames > maxQueuedFrames + canExceed) fault('too many frames wait');
    if (batcher.queuedBytes !== batcher.queuedFrames * rowBytes) fault('bytes are miscounted');
  };

  for (const step of actions) {
    if (step.kind === 'submit') {
      const number = tickets.length + 1;
      const controller = new AbortController();
      const deadlineAtMs =
        step.deadlineMs === null ? Number.POSITIVE_INFINITY : clock.now() + step.deadlineMs;
      const row = batcher.submit(tensorOf(number), {
        signal: controller.signal,
        priority: step.priority,
        streamId: `${step.stream}`,
        ...(step.deadlineMs === null ? {} : { deadlineAtMs }),
      });
      tickets.push({
        number,
        stream: `${step.stream}`,
        controller,
        deadlineAtMs,
        seen: watch(row),
      });
    } else if (step.kind === 'abort') tickets[step.ticket]?.controller.abort();
    else if (step.kind === 'advance') clock.advance(step.ms);
    else if (puppet.isOpen) {
      const isRetried = step.kind === 'fail' && step.code === 'not_ready';
      if (isRetried) canExceed = 2 * lanes * (batchSizes.at(-1) ?? 0);
      if (step.kind === 'answer') puppet.oldest().answer(step.runMs);
      else puppet.oldest().fail(new DomainError(step.code, 'the test says so'));
    }
    await settle();
    check();
  }

  const closing = watch(batcher.close());
  for (let run = 0; run < 100 && closing.settled === 0; run += 1) {
    if (puppet.isOpen) puppet.oldest().answer();
    clock.advance(1);
    await settle();
    check();
  }
  if (closing.settled !== 1) throw new Error('close did not end');
  if (batcher.queuedFrames !== 0) throw new Error('frames are left');
  const lost = tickets.filter(({ seen }) => seen.settled !== 1);
  if (lost.length > 0) throw new Error(`lost: ${lost.map(({ number }) => number)}`);
  if (clock.waiting > 0) throw new Error('a timer is left');
  // Each that was let in and left without a row is counted, and nothing else is.
  const refused = tickets.filter(({ seen }) => seen.error).length;
  if (dropped.length > refused) throw new Error('more were dropped than rejected');
}

test('no ticket is lost, doubled, crossed or late without its outcome, in 10,000 schedules', async (t) => {
  t.timeout(180_000);
  const schedule = fc.array(action, { minLength: 5, maxLength: 45 });
  const delay = fc.constantFrom(0, 0, 3);
  const lanes = fc.constantFrom(1, 1, 2, 3);
  await fc.assert(fc.asyncProperty(schedule, delay, fc.boolean(), lanes, play), {
    numRuns: 10_000,
    seed: 20_181_128,
  });
  t.pass();
});
