import { DomainError } from '../errors.js';
import { address, createCommand, example, type Verb } from './command.js';
import { flags } from './flags.js';

const notYet = async () => {
  throw new DomainError('unsupported', 'models is not built yet');
};

/** `models`: what is on disk or on a server, and which version answers. */
export const modelsVerb: Verb = (_terminal) => {
  const command = (name: string, description: string) =>
    createCommand(name, description)
      .option(flags.models, flags.modelsHelp, 'models')
      .option(flags.server, flags.serverHelp, address)
      .option(flags.json, flags.jsonHelp);
  return createCommand('models', 'list, show, promote, roll back and import models')
    .addCommand(command('list', 'every version of every model').action(notYet))
    .addCommand(
      command('show', 'one version: labels, input, thresholds, scores, lineage')
        .argument('<model>', flags.modelHelp)
        .action(notYet),
    )
    .addCommand(
      command('promote', 'make a version the live one')
        .argument('<name@version>', 'version')
        .action(notYet),
    )
    .addCommand(
      command('rollback', 'make the version that was live before live again')
        .argument('<name>', 'model')
        .action(notYet),
    )
    .addHelpText('after', example('models list', 'models promote cells@3'));
};
