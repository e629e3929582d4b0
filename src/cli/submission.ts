import { DomainError } from '../errors.js';
import { createCommand, example, type Verb } from './command.js';
import { flags } from './flags.js';

/** `submission`: the labels of a test folder, as the competition wants them. */
export const submissionVerb: Verb = (_terminal) =>
  createCommand('submission', 'write the labels of a test folder as Id,Predicted')
    .requiredOption(
      '--data <dir>',
      'folder with sample_submission.csv and test/<Id>_{red,green,blue,yellow}.png',
    )
    .requiredOption(flags.model, flags.modelHelp)
    .option('--out <file>', 'csv with the columns Id,Predicted', 'submission.csv')
    .option(flags.models, flags.modelsHelp)
    .addHelpText('after', example('submission --data test-set --model cells --out submission.csv'))
    .action(async () => {
      throw new DomainError('unsupported', 'submission is not built yet');
    });
