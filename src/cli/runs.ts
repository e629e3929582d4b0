import { DomainError } from '../errors.js';
import { address, createCommand, example, type Verb } from './command.js';
import { flags } from './flags.js';

const notYet = async () => {
  throw new DomainError('unsupported', 'runs is not built yet');
};

/** `runs`: the trainings of a folder or a server. */
export const runsVerb: Verb = (_terminal) => {
  const command = (name: string, description: string) =>
    createCommand(name, description)
      .option(flags.runs, flags.runsHelp, 'runs')
      .option(flags.server, flags.serverHelp, address)
      .option(flags.json, flags.jsonHelp);
  return createCommand('runs', 'list, show, watch and stop trainings')
    .addCommand(
      command('list', 'every run').addHelpText('after', example('runs list')).action(notYet),
    )
    .addCommand(
      command('show', 'one run')
        .argument('<run>', 'its id')
        .addHelpText('after', example('runs show 7f3a'))
        .action(notYet),
    )
    .addCommand(
      command('watch', 'follow a run until it ends')
        .argument('<run>', 'its id')
        .addHelpText('after', example('runs watch 7f3a'))
        .action(notYet),
    )
    .addCommand(
      command('stop', 'end a run after its step; its best weights are kept')
        .argument('<run>', 'its id')
        .addHelpText('after', example('runs stop 7f3a'))
        .action(notYet),
    )
    .addHelpText('after', example('runs list', 'runs watch 7f3a --server localhost:50051'));
};
