import type { DomainError } from '../errors.js';
import type { FairQueue } from '../queue/index.js';
import type { Outlook } from './outlook.js';
import { expired, hopeless, type Ticket } from './ticket.js';

/** How many Tickets are to be taken, and to which size they are to be padded. */
export interface BatchPlan {
  readonly tickets: number;
  readonly batchSize: number;
}

/** What is to be run, and what came too late for it. */
export interface ClosedBatch {
  readonly tickets: readonly Ticket[];
  readonly batchSize: number;
  readonly late: readonly { readonly ticket: Ticket; readonly error: DomainError }[];
}

/**
 * Takes the next batch out of the queue. The Ticket whose turn it is is to be in time: where it
 * would not be in the batch that was planned, a smaller one is made. Those after it that would
 * be late with it are left out, and so is a first one that no size makes in time, unless it is
 * `tried` all the same.
 */
export function closeBatch(
  plan: BatchPlan,
  nowMs: number,
  { queue, outlook, tried }: { queue: FairQueue<Ticket>; outlook: Outlook; tried: Ticket | null },
): ClosedBatch {
  const tickets: Ticket[] = [];
  const late: { ticket: Ticket; error: DomainError }[] = [];
  let { batchSize } = plan;
  while (tickets.length < Math.min(plan.tickets, batchSize)) {
    const ticket = queue.take();
    if (!ticket) break;
    const { deadlineAtMs } = ticket;
    const isFirst = tickets.length === 0;
    const size = isFirst ? outlook.sizeInTime(deadlineAtMs, plan.batchSize, nowMs) : batchSize;
    const lateMs = outlook.endsAtMs(size, nowMs) - deadlineAtMs;
    // A timer may be late, where the event loop was busy.
    const isOver = deadlineAtMs <= nowMs;
    if (isOver || (lateMs > 0 && ticket !== tried)) {
      late.push({ ticket, error: isOver ? expired() : hopeless(lateMs) });
      continue;
    }
    batchSize = size;
    tickets.push(ticket);
  }
  return { tickets, late, batchSize: outlook.smallestFor(tickets.length, batchSize) };
}
