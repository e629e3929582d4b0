import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

/**
 * The items in an order drawn by (seed, stream): the same two numbers give the same order
 * on every machine, other streams of a seed give orders that have nothing in common.
 * Fisher and Yates's way.
 */
export function shuffled<T>(items: readonly T[], seed: number, stream: number): T[] {
  const random = xoroshiro128plusFromState([
    seed | 0,
    Math.trunc(seed / 2 ** 32),
    stream,
    0x9e3779b1,
  ]);
  // The first draws after neighbouring states resemble each other.
  for (let skip = 0; skip < 16; skip += 1) random.next();
  const order = [...items];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = uniformInt(random, 0, last);
    [order[last], order[other]] = [order[other] as T, order[last] as T];
  }
  return order;
}
