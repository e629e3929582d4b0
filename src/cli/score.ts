import { createCommand, example, numberAbove, type Verb } from './command.js';
import { flags } from './flags.js';

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
      const report = await scoreFile(predictions, { threshold });
      terminal.print(json ? JSON.stringify(report) : formatReport(report).trimEnd());
    });
