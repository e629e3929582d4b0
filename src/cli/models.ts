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
    .addCommand(
      command('list', 'every version of every model')
        .addHelpText('after', example('models list', 'models list --server localhost:50051'))
        .action(notYet),
    )
    .addCommand(
      command('show', 'one version: labels, input, thresholds, scores, lineage')
        .argument('<model>', flags.modelHelp)
        .addHelpText('after', example('models show cells@candidate --json'))
        .action(notYet),
    )
    .addCommand(
      command('promote', 'make a version the live one')
        .argument('<name@version>', 'version')
        .addHelpText('after', example('models promote cells@3'))
        .action(notYet),
    )
    .addCommand(
      command('rollback', 'make the version that was live before live again')
        .argument('<name>', 'model')
        .addHelpText('after', example('models rollback cells'))
        .action(notYet),
    )
    .addCommand(
      command('import', 'add an ONNX model made elsewhere as a new version; it is not promoted')
        .requiredOption('--name <name>', 'name the version is published under')
        .requiredOption(
          '--onnx <file>',
          'uint8 [N, C, H, W] in, float32 [N, labels] probabilities out',
        )
        .option(
          '--labels <file>',
          'one label name a line, in the order of the output; without it the 28 of the Human Protein Atlas',
        )
        .addHelpText(
          'after',
          example('models import --name cells --onnx cells.onnx --labels labels.txt'),
        )
        .action(notYet),
    )
    .addHelpText('after', example('models list', 'models promote cells@3'));
};
