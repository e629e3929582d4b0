import { DomainError } from '../errors.js';
import { createCommand, example, type Verb } from './command.js';
import { flags } from './flags.js';

/** `eda`: a first look at a labelled dataset. */
export const edaVerb: Verb = (_terminal) =>
  createCommand('eda', 'draw and count what a labelled dataset holds')
    .requiredOption(flags.data, flags.dataHelp)
    .requiredOption('--out <dir>', 'folder for the pictures and eda.json')
    .option(flags.json, flags.jsonHelp)
    .addHelpText('after', example('eda --data my-cells --out eda'))
    .action(async () => {
      throw new DomainError('unsupported', 'eda is not built yet');
    });
