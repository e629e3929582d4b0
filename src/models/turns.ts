/** Lets actions of one key run one after the other; those of different keys do not wait. */
export interface Turns {
  take<T>(key: string, action: () => Promise<T>): Promise<T>;
  /** Resolves when what has been taken so far is done, well or not. */
  settled(): Promise<void>;
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return {
    take(key, action) {
      const before = last.get(key) ?? Promise.resolve();
      const turn = before.then(action, action);
      const settled = turn
        .catch(() => {})
        .then(() => {
          if (last.get(key) === settled) last.delete(key);
        });
      last.set(key, settled);
      return turn;
    },
    async settled() {
      await Promise.all(last.values());
    },
  };
}
