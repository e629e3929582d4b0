import { DomainError } from '../errors.js';
import { address, createCommand, example, type Verb } from './command.js';
import { flags } from './flags.js';

/** `evaluate`: scores a version on a labelled dataset. */
export const evaluateVerb: Verb = (_terminal) =>
  createCommand('evaluate', 'score a version of a model on a labelled dataset')
    .requiredOption(flags.data, flags.dataHelp)
    .requiredOption(flags.model, flags.modelHelp)
    .option('--out <dir>', 'write the report, its pictures and predictions.csv there')
    .option(flags.models, flags.modelsHelp)
    .option(flags.server, flags.serverHelp, address)
    .option(flags.json, flags.jsonHelp)
    .addHelpText('after', example('evaluate --data my-cells --model cells@3 --out report'))
    .action(async () => {
      throw new DomainError('unsupported', 'evaluate is not built yet');
    });
