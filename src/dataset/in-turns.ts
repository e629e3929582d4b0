import { setImmediate } from 'node:timers/promises';

/** Others wait for no longer; a server answers frames meanwhile. */
const turnMs = 5;

/** Does something with each item in its order, and gives way to others every 5 ms. */
export async function inTurns<Item>(
  items: Iterable<Item>,
  act: (item: Item) => void,
): Promise<void> {
  let sinceMs = performance.now();
  for (const item of items) {
    act(item);
    if (performance.now() - sinceMs < turnMs) continue;
    await setImmediate();
    sinceMs = performance.now();
  }
}
