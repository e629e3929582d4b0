import { DomainError } from '../errors.js';
import { address, createCommand, example, numberAbove, type Verb, wholeNumber } from './command.js';
import { flags } from './flags.js';

/** `train`: makes a version of a model from a labelled dataset. */
export const trainVerb: Verb = (_terminal) =>
  createCommand('train', 'train a model on a labelled dataset and publish it as a version')
    .requiredOption(flags.data, flags.dataHelp)
    .requiredOption('--model <name>', 'name the version is published under')
    .option('--network <name>', 'network to train', 'seed-cnn')
    .option('--epochs <number>', 'passes over the training part', wholeNumber(1), 60)
    .option('--batch <number>', 'frames a step', wholeNumber(1), 128)
    .option(
      '--share <number>',
      'part of the dataset that is used at all, 0 to 1',
      numberAbove(0, 1),
      1,
    )
    .option(
      '--training-part <number>',
      'part of the used frames that trains',
      numberAbove(0, 1),
      0.8,
    )
    .option('--split <rule>', 'auto (by group where there are groups), first or group', 'auto')
    .option('--seed <number>', 'fixes weights, order and dropout', wholeNumber(0), 1)
    .option('--learning-rate <number>', "Adam's rate before decay", numberAbove(0), 1e-3)
    .option(
      '--patience <number>',
      'epochs without a better validation loss before it stops',
      wholeNumber(1),
      6,
    )
    .option('--promote', 'make the new version live; the first version of a name always is')
    .option(flags.models, flags.modelsHelp, 'models')
    .option(flags.runs, flags.runsHelp, 'runs')
    .option(flags.server, flags.serverHelp, address)
    .option(flags.json, 'print one event a line, for a script')
    .addHelpText(
      'after',
      `${example('train --data my-cells --model cells --epochs 20 --batch 32')}
Ctrl-C ends the run after the step it is in and keeps its best weights; with
--server it only stops watching: the run goes on. A second Ctrl-C leaves at once.
`,
    )
    .action(async () => {
      throw new DomainError('unsupported', 'train is not built yet');
    });
