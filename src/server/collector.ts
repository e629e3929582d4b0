import { setFlagsFromString } from 'node:v8';

/** How far the heap may grow between two full collections, in percent of what is alive. */
const growingPercent = 400;

/**
 * Lets the collector of this process wait longer between full collections.
 *
 * Why: frames lie outside of the heap but count as its growth. With a live heap of 20 MB and
 * 60 MB/s of frames V8 collected everything eight times a second, 10 to 25 ms of the event
 * loop each, although the short collections between free nearly all of it. With this it does
 * so once or twice a second: at 200 frames/s on two cores p99 fell from 60 to 33 ms, for some
 * 60 MB more memory.
 * Use: once, by the process that serves, before it does.
 */
export function relaxCollector(): void {
  setFlagsFromString(`--heap-growing-percent=${growingPercent}`);
}
