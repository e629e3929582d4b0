import test from 'ava';
import fc from 'fast-check';
import {
  createBatcher,
  type DropReason,
  type Priority,
  type WhenFull,
} from '../../src/batching/index.js';
import { RunTime } from '../../src/batching/run-time.js';
import { DomainError } from '../../src/errors.js';
import { createFakeClock } from '../fake-clock.js';
import { createPuppetRun, type PuppetCall, rowOf, settle, tensorOf, watch } from './puppet-run.js';

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
  priority: fc.constantFrom<Priority>('high', 'normal', 'normal', 'low'),
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
const bounds = { maxQueuedFrames: 6, maxQueuedBytes: 112, maxStreamFrames: 4, maxStreamBytes: 80 };
const ranks = { high: 2, normal: 1, low: 0 } as const;
/** What each stream does where there is no room. */
const whenFullOf: readonly WhenFull[] = ['refuse', 'dropOldest', 'refuse', 'keep'];

interface Setting {
  /** Of one tensor: at 16 the bounds in frames are met first, at 32 those in bytes. */
  readonly rowBytes: number;
  readonly maxDelayMs: number;
  readonly isWarm: boolean;
  readonly lanes: number;
}

interface Sent {
  readonly number: number;
  readonly stream: string;
  readonly priority: Priority;
  readonly whenFull: WhenFull;
  readonly controller: AbortController;
  readonly deadlineAtMs: number;
  /** Whether it was thought to be late, and let in to learn. */
  readonly isTry: boolean;
  readonly seen: ReturnType<typeof watch<{ readonly probabilities: Float32Array }>>;
  /** Where it is, as far as can be told from outside; `out` once it has its outcome. */
  place: 'queue' | 'run' | 'out';
  retries: number;
}

const fault = (what: string): never => {
  throw new Error(what);
};

/** Plays one schedule and throws at the first promise of the Batcher that is broken. */
async function play(
  actions: readonly Action[],
  { rowBytes, maxDelayMs, isWarm, lanes }: Setting,
): Promise<void> {
  const clock = createFakeClock();
  const puppet = createPuppetRun();
  const dropped: DropReason[] = [];
  const warmRunMs = new Map(isWarm ? batchSizes.map((size) => [size, 1 + size] as const) : []);
  const batcher = createBatcher(
    { ...bounds, batchSizes, maxDelayMs },
    {
      run: puppet.run,
      ...{ lanes, clock, warmRunMs },
      onDropped: (reason) => dropped.push(reason),
    },
  );

  // What can be known from outside, kept beside it.
  const sent: Sent[] = [];
  const expectedDrops: DropReason[] = [];
  const runTime = new RunTime();
  for (const [size, runMs] of warmRunMs) runTime.learn(size, runMs);
  const expectMs = () => batchSizes.map((size) => runTime.expectMs(size) ?? 0);
  /** What each open run holds, and at most was expected to take. */
  const open = new Map<
    PuppetCall,
    { readonly tickets: readonly Sent[]; readonly atMostMs: number }
  >();
  let runsSeen = 0;
  let idleSinceMs = Number.NEGATIVE_INFINITY;
  /** Turns of others since a stream of one priority that waits had its own: by line, by stream. */
  const passedOver = new Map<string, Map<string, number>>();

  const waiting = () => sent.filter(({ place }) => place === 'queue');
  const sheddable = () => waiting().filter(({ whenFull }) => whenFull !== 'keep');
  const lineOf = ({ stream, priority }: Pick<Sent, 'stream' | 'priority'>) =>
    `${priority} ${stream}`;

  /** The least that batches for so many take one lane, by trying all. */
  const leastMs = (count: number): number =>
    count <= 0
      ? 0
      : Math.min(...expectMs().map((ms, at) => ms + leastMs(count - (batchSizes[at] ?? 1))));
  /** The same in batches of one size. */
  const evenMs = (count: number): number =>
    Math.min(...expectMs().map((ms, at) => ms * Math.ceil(count / (batchSizes[at] ?? 1))));

  /** Whether a newcomer may, and whether it must be refused for its deadline. */
  const foresee = ({
    deadlineAtMs,
    priority,
    stream,
  }: Pick<Sent, 'deadlineAtMs' | 'priority' | 'stream'>) => {
    const now = clock.now();
    const [ownMs = 0] = expectMs();
    const isTryDue = open.size === 0 && waiting().length === 0 && now - idleSinceMs >= 4 * ownMs;
    const isExpired = deadlineAtMs <= now;
    // More urgent ones, and those of its own stream that are due no later, go before it.
    const before = waiting().filter(
      (other) =>
        ranks[other.priority] > ranks[priority] ||
        (lineOf(other) === lineOf({ priority, stream }) && other.deadlineAtMs <= deadlineAtMs),
    );
    const isLate = deadlineAtMs < now + leastMs(Math.ceil((before.length + 1) / lanes));
    let latestMs = now + evenMs(Math.ceil((waiting().length + 1) / lanes));
    for (const { atMostMs } of open.values()) latestMs += atMostMs;
    return {
      must: isExpired || (isLate && !isTryDue),
      may: isExpired || (deadlineAtMs < latestMs && !isTryDue),
      isTry: isLate && isTryDue && !isExpired,
    };
  };

  /** Follows which Tickets a run that began took, and in which order. */
  const follow = (call: PuppetCall) => {
    const { batchSize, numbers } = call;
    if (!batchSizes.includes(batchSize)) fault(`a batch of ${batchSize} was run`);
    if (numbers.length !== batchSize) fault(`${numbers.length} rows in ${batchSize}`);
    // Rows of padding hold what was there before: Tickets that have their outcome.
    const tickets = sent.filter(
      ({ number, place }) => place === 'queue' && numbers.includes(number),
    );
    tickets.sort((one, other) => numbers.indexOf(one.number) - numbers.indexOf(other.number));
    if (tickets.length === 0) fault('a batch of nothing was run');
    if (tickets.some(({ number }, at) => numbers[at] !== number)) fault('a row was left free');
    const leastMs = Math.min(...expectMs());
    for (const ticket of tickets) {
      const { number, deadlineAtMs, priority } = ticket;
      if (ticket.seen.settled > 0) fault(`ticket ${number} was run after its outcome`);
      if (deadlineAtMs < clock.now() + leastMs && !ticket.isTry)
        fault(`ticket ${number} was run late`);
      ticket.place = 'run';
      // What left at the same time, being late, may have been looked at before.
      const rivals = waiting().filter(({ seen }) => seen.settled === 0);
      for (const rival of rivals) {
        if (ranks[rival.priority] > ranks[priority])
          fault(`${rival.number} was of higher priority`);
        if (lineOf(rival) === lineOf(ticket) && rival.deadlineAtMs < deadlineAtMs) {
          fault(`${rival.number} of the same stream had an earlier deadline`);
        }
      }
      passedOver.delete(lineOf(ticket));
      const level = rivals.filter((rival) => rival.priority === priority);
      for (const line of new Set(level.map(lineOf))) {
        const counts = passedOver.get(line) ?? new Map<string, number>();
        const count = (counts.get(ticket.stream) ?? 0) + 1;
        if (count > 2) fault(`${line} waited for three of stream ${ticket.stream}`);
        passedOver.set(line, counts.set(ticket.stream, count));
      }
    }
    open.set(call, { tickets, atMostMs: Math.max(...expectMs()) });
  };

  const check = () => {
    // Who left at its turn, being late, had it.
    for (const ticket of waiting()) {
      if (ticket.seen.settled > 0) passedOver.delete(lineOf(ticket));
    }
    for (; runsSeen < puppet.calls.length; runsSeen += 1) {
      follow(puppet.calls[runsSeen] ?? puppet.last());
    }
    for (const ticket of sent) {
      const { number, deadlineAtMs, seen, controller, place } = ticket;
      if (seen.settled > 1) fault(`ticket ${number} settled twice`);
      if (seen.settled === 0 && deadlineAtMs <= clock.now()) fault(`ticket ${number} is late`);
      if (seen.settled === 0 && controller.signal.aborted) fault(`ticket ${number} was left`);
      if (seen.value && `${[...seen.value.probabilities]}` !== `${rowOf(number)}`) {
        fault(`ticket ${number} got the row of another`);
      }
      if (seen.settled === 0 || place === 'out') continue;
      ticket.place = 'out';
      if (!(seen.error instanceof DomainError)) {
        if (seen.error) fault(`threw ${seen.error}`);
        continue;
      }
      expectedDrops.push(reasonOf(seen.error));
      if (seen.error.message.includes('cannot be met')) {
        let latestMs = clock.now() + Math.max(...expectMs());
        for (const { atMostMs } of open.values()) latestMs += atMostMs;
        if (deadlineAtMs >= latestMs) fault(`ticket ${number} was dropped, but would be in time`);
      }
    }
    for (const line of passedOver.keys()) {
      if (!waiting().some((ticket) => lineOf(ticket) === line)) passedOver.delete(line);
    }
    if (puppet.mostOpen > 2 * lanes) fault('three batches of a lane were with the engine');
    if (`${dropped.toSorted()}` !== `${expectedDrops.toSorted()}`) {
      fault(`${dropped} were told to be dropped, ${expectedDrops} were`);
    }
    if (batcher.queuedFrames !== waiting().length) fault('frames are miscounted');
    if (batcher.queuedBytes !== waiting().length * rowBytes) fault('bytes are miscounted');
    // Only Tickets of a batch that is tried again come back into a queue that is full.
    assertBounded(sheddable().filter(({ retries }) => retries === 0));
  };

  const assertBounded = (of: readonly Sent[]) => {
    const isWithin = (frames: number, maxFrames: number, maxBytes: number) =>
      frames <= maxFrames && frames * rowBytes <= maxBytes;
    if (!isWithin(of.length, bounds.maxQueuedFrames, bounds.maxQueuedBytes)) {
      fault(`${of.length} wait`);
    }
    for (const stream of ['0', '1', '2', '3']) {
      const own = of.filter((ticket) => ticket.stream === stream);
      if (!isWithin(own.length, bounds.maxStreamFrames, bounds.maxStreamBytes)) {
        fault(`${own.length} of stream ${stream} wait`);
      }
    }
  };

  /** What a newcomer that waits, or was refused, did to the others. */
  const checkRoom = (newcomer: Sent, before: readonly Sent[]) => {
    const refusal = newcomer.seen.error instanceof DomainError ? newcomer.seen.error.code : null;
    const shed = before.filter(
      ({ seen }) => seen.error instanceof DomainError && seen.error.code === 'overloaded',
    );
    const open = before.filter(({ whenFull }) => whenFull !== 'keep');
    const own = open.filter(({ stream }) => stream === newcomer.stream);
    const isStreamFull =
      own.length + 1 > bounds.maxStreamFrames ||
      (own.length + 1) * rowBytes > bounds.maxStreamBytes;
    const isFull =
      isStreamFull ||
      open.length + 1 > bounds.maxQueuedFrames ||
      (open.length + 1) * rowBytes > bounds.maxQueuedBytes;
    const isKept = newcomer.whenFull === 'keep';
    if (refusal === 'overloaded' && (isKept || !isFull)) fault('refused although there was room');
    // Where a batch is tried again there may be too many for one victim to be enough.
    if (refusal === 'overloaded' && before.every(({ retries }) => retries === 0)) {
      const ownLine = open.filter((ticket) => lineOf(ticket) === lineOf(newcomer));
      if (newcomer.whenFull === 'dropOldest' && ownLine.length > 0) fault('kept its oldest');
      if (
        !isStreamFull &&
        open.some(({ priority }) => ranks[priority] < ranks[newcomer.priority])
      ) {
        fault('a lower priority made no room');
      }
      for (const { stream } of open) {
        const line = open.filter(
          (ticket) => ticket.stream === stream && ticket.priority === newcomer.priority,
        );
        if (!isStreamFull && line.length > ownLine.length + 1)
          fault('a longer stream made no room');
      }
    }
    if (shed.length > 0 && (isKept || !isFull || refusal === 'overloaded')) fault('shed in vain');
    for (const victim of shed) {
      if (victim.whenFull === 'keep') fault(`${victim.number} was to be kept`);
      if (ranks[victim.priority] > ranks[newcomer.priority]) fault('a higher priority made room');
      if (lineOf(victim) === lineOf(newcomer) && newcomer.whenFull === 'refuse') {
        fault('a stream that refuses shed its own');
      }
    }
    // Now that it is in, all of it is within the bounds, what is tried again included.
    if (!isKept && newcomer.seen.settled === 0 && newcomer.place === 'queue') {
      const total = sheddable();
      if (
        total.length > bounds.maxQueuedFrames ||
        total.length * rowBytes > bounds.maxQueuedBytes
      ) {
        fault(`one was let in to ${total.length} that wait`);
      }
    }
  };

  const send = async ({ stream, priority, deadlineMs }: Action & { readonly kind: 'submit' }) => {
    const number = sent.length + 1;
    const controller = new AbortController();
    const deadlineAtMs = deadlineMs === null ? Number.POSITIVE_INFINITY : clock.now() + deadlineMs;
    const whenFull = whenFullOf[stream] ?? 'refuse';
    const wish = { signal: controller.signal, priority, streamId: `${stream}`, whenFull };
    const options = { ...wish, ...(deadlineMs === null ? {} : { deadlineAtMs }) };
    const foreseen = foresee({ deadlineAtMs, priority, stream: `${stream}` });
    let isRefused = false;
    try {
      batcher.assertInTime(options);
    } catch (thrown) {
      isRefused = true;
      if (DomainError.from(thrown).code !== 'deadline') fault(`threw ${thrown}`);
    }
    if (isRefused && !foreseen.may) fault(`${number} could have been in time`);
    if (!isRefused && foreseen.must) fault(`${number} could not have been in time`);
    const before = waiting();
    const seen = watch(batcher.submit(tensorOf(number, rowBytes), options));
    const isOut = isRefused ? ('out' as const) : ('queue' as const);
    const ticket: Sent = {
      ...{ number, stream: `${stream}`, priority, whenFull, controller, deadlineAtMs, seen },
      ...{ isTry: foreseen.isTry, place: isOut, retries: 0 },
    };
    sent.push(ticket);
    await settle();
    const code = seen.error instanceof DomainError ? seen.error.code : null;
    if (isRefused && code !== 'deadline') fault(`${number} was not refused after all`);
    if (ticket.isTry && maxDelayMs === 0 && code === 'deadline') fault(`${number} was not tried`);
    // It never waited.
    if (code === 'overloaded') ticket.place = 'out';
    check();
    if (!isRefused) checkRoom(ticket, before);
  };

  const end = (step: Action & { readonly kind: 'answer' | 'fail' }) => {
    const call = puppet.oldest();
    const { tickets } = open.get(call) ?? fault('a run was not seen');
    open.delete(call);
    idleSinceMs = clock.now();
    if (step.kind === 'answer') {
      runTime.learn(call.batchSize, step.runMs);
      call.answer(step.runMs);
      return;
    }
    for (const ticket of tickets) {
      if (step.code !== 'not_ready' || ticket.retries > 0 || ticket.seen.settled > 0) continue;
      ticket.retries = 1;
      ticket.place = 'queue';
    }
    call.fail(new DomainError(step.code, 'the test says so'));
  };

  for (const step of actions) {
    if (step.kind === 'submit') {
      await send(step);
      continue;
    }
    if (step.kind === 'abort') sent[step.ticket]?.controller.abort();
    else if (step.kind === 'advance') clock.advance(step.ms);
    else if (puppet.isOpen) end(step);
    await settle();
    check();
  }

  const closing = watch(batcher.close());
  await settle();
  check();
  for (let run = 0; run < 100 && closing.settled === 0; run += 1) {
    if (puppet.isOpen) end({ kind: 'answer', runMs: 1 });
    clock.advance(1);
    await settle();
    check();
  }
  if (closing.settled !== 1) fault('close did not end');
  if (batcher.queuedFrames !== 0) fault('frames are left');
  const lost = sent.filter(({ seen }) => seen.settled !== 1);
  if (lost.length > 0) fault(`lost: ${lost.map(({ number }) => number)}`);
  if (clock.waiting > 0) fault('a timer is left');
}

/** What a Ticket that was let in and ended so counts as. */
function reasonOf({ code }: DomainError): DropReason {
  if (code === 'deadline') return 'expired';
  if (code === 'cancelled') return 'cancelled';
  return code === 'overloaded' ? 'shed' : 'failed';
}

test('every ticket has one outcome, its own, in its turn and in time or refused for a reason, in 5,000 schedules', async (t) => {
  t.timeout(180_000);
  const schedule = fc.array(action, { minLength: 5, maxLength: 45 });
  const setting = fc.record({
    rowBytes: fc.constantFrom(16, 32),
    maxDelayMs: fc.constantFrom(0, 0, 3),
    isWarm: fc.boolean(),
    lanes: fc.constantFrom(1, 1, 2, 3),
  });
  await fc.assert(fc.asyncProperty(schedule, setting, play), {
    numRuns: 5_000,
    seed: 20_181_128,
  });
  t.pass();
});
