/** What was opened, to be closed in the opposite order. */
export interface Closers {
  add(close: () => Promise<void> | void): void;
  /** Closes everything, also when one of them fails; throws the first failure. Idempotent. */
  close(): Promise<void>;
}

export function createClosers(): Closers {
  const all: (() => Promise<void> | void)[] = [];
  let closed: Promise<void> | null = null;
  const closeAll = async () => {
    const failures: unknown[] = [];
    for (let close = all.pop(); close !== undefined; close = all.pop()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  };
  return {
    add(close) {
      all.push(close);
    },
    close() {
      closed ??= closeAll();
      return closed;
    },
  };
}
