import type { Writable } from 'node:stream';

/** A few lines at the bottom of a terminal that are drawn again and again. */
export interface LiveLines {
  /** Replaces what was drawn before. Each line must fit the terminal's width. */
  draw(lines: readonly string[]): void;
}

/** Draws on a stream that is a terminal; ask `isInteractive` first. */
export function createLiveLines(stream: Writable): LiveLines {
  let drawn = 0;
  return {
    draw(lines) {
      const up = drawn > 0 ? `\u001b[${drawn}A` : '';
      stream.write(`${up}${lines.map((line) => `\r\u001b[K${line}\n`).join('')}\u001b[J`);
      drawn = lines.length;
    },
  };
}
