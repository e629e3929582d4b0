/**
 * McNemar's exact test, two-sided: how likely it is that, of so many frames on which just
 * one of two answers is right, the sides differ by as much or more if neither were better.
 * 1 where no frame tells them apart.
 *
 * Source: McNemar, Psychometrika 12 (1947); exact by the binomial distribution as in
 * Fagerland, Lydersen & Laake, BMC Med. Res. Methodol. 13:91 (2013).
 */
export function mcnemarExact(onlyFirst: number, onlySecond: number): number {
  const total = onlyFirst + onlySecond;
  const fewer = Math.min(onlyFirst, onlySecond);
  // In logarithms: 2^-1100 is 0 as a number.
  let logTerm = -total * Math.LN2;
  let tail = Math.exp(logTerm);
  for (let count = 1; count <= fewer; count += 1) {
    logTerm += Math.log((total - count + 1) / count);
    tail += Math.exp(logTerm);
  }
  return Math.min(1, 2 * tail);
}

/**
 * p-values of several tests so that the chance of any false alarm stays what a single one
 * promises. In the order given. Source: Holm, Scand. J. Statist. 6 (1979).
 */
export function holm(pValues: readonly number[]): readonly number[] {
  const order = [...pValues.keys()].sort((a, b) => (pValues[a] ?? 1) - (pValues[b] ?? 1));
  const adjusted = new Array<number>(pValues.length).fill(1);
  let most = 0;
  for (const [rank, at] of order.entries()) {
    most = Math.max(most, Math.min(1, (pValues[at] ?? 1) * (pValues.length - rank)));
    adjusted[at] = most;
  }
  return adjusted;
}
