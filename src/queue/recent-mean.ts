/** Weight of the newest value: about the last ten count. */
const newestWeight = 0.2;

/** The mean of what came last. */
export interface RecentMean {
  /** undefined before any value. */
  readonly value: number | undefined;
  add(value: number): void;
}

export function createRecentMean(): RecentMean {
  let mean: number | undefined;
  return {
    get value() {
      return mean;
    },
    add(value) {
      mean = mean === undefined ? value : mean + newestWeight * (value - mean);
    },
  };
}
