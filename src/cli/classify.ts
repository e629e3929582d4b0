import { DomainError } from '../errors.js';
import { address, createCommand, example, type Verb } from './command.js';
import { flags } from './flags.js';

/** `classify`: writes the probabilities of every frame of a dataset. */
export const classifyVerb: Verb = (_terminal) =>
  createCommand('classify', 'write the probability of every label for every frame of a dataset')
    .requiredOption(flags.data, flags.dataHelp)
    .requiredOption(flags.model, flags.modelHelp)
    .option('--out <file>', 'csv with the columns Id,Target,p0,p1,…', 'predictions.csv')
    .option(flags.models, flags.modelsHelp)
    .option(flags.server, 'stream the same frames to this server', address)
    .option(flags.json, 'print a summary as JSON, for a script')
    .addHelpText(
      'after',
      example(
        'classify --data my-cells --model cells --out predictions.csv',
        'classify --data my-cells --model cells --server localhost:50051',
      ),
    )
    .action(async () => {
      throw new DomainError('unsupported', 'classify is not built yet');
    });
