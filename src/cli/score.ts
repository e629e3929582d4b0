import { createCommand, example, numberAbove, type Verb } from './command.js';
import { flags } from './flags.js';
import type { Progress } from './progress.js';
import { type Terminal, widthOf } from './terminal.js';

/** `score`: metrics of any file of predictions with known labels. */
export const scoreVerb: Verb = (terminal) =>
  createCommand('score', 'score a file of predictions against the labels it carries')
    .requiredOption('--predictions <file>', 'csv with the columns Id,Target,p0,p1,…')
    .option(
      '--threshold <number>',
      'probability from which a label is given',
      numberAbove(0, 1),
      0.5,
    )
    .option(flags.json, flags.jsonHelp)
    .addHelpText('after', example('score --predictions predictions.csv'))
    .action(async ({ predictions, threshold, json }) => {
      const { formatReport, scoreFile } = await import('../evaluation/index.js');
      const report = await showScoring(terminal, (way) =>
        scoreFile(predictions, { threshold, ...way }),
      );
      terminal.print(
        json ? JSON.stringify(report) : formatReport(report, widthOf(terminal)).trimEnd(),
      );
    });

/** A file is scored at a glance; one that takes longer is worth a bar. */
const quietMs = 2000;

/** Shows how far a file is read, then how far it is scored, where that takes a while. */
async function showScoring<Result>(
  terminal: Terminal,
  work: (way: {
    readonly signal: AbortSignal;
    readonly onRead: (rows: number) => void;
    readonly onProgress: (done: number, total: number) => void;
  }) => Promise<Result>,
): Promise<Result> {
  using interruption = terminal.interruption();
  const startedAtMs = performance.now();
  let shown: { readonly title: string; readonly bar: Progress } | null = null;
  const show = (title: string, unit: string, done: number, total: number) => {
    if (performance.now() - startedAtMs < quietMs) return;
    if (shown?.title !== title) shown = { title, bar: terminal.progress({ title, unit, total }) };
    shown.bar.update(done);
  };
  try {
    return await work({
      signal: interruption.signal,
      onRead: (rows) => show('reading', 'rows', rows, 0),
      onProgress: (done, total) => show('scoring', 'draws', done, total),
    });
  } finally {
    (shown as { readonly bar: Progress } | null)?.bar.end();
  }
}
