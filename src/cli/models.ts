import { resolve } from 'node:path';
import { Option } from '@commander-js/extra-typings';
import type { ModelDescription, PromotionGate } from '../client/index.js';
import { address, createCommand, example, numberAbove, numberFrom, type Verb } from './command.js';
import { exportFormat, exportVersion } from './export-version.js';
import { UsageError } from './failure.js';
import { flags } from './flags.js';
import { formatModel, formatModels } from './format-model.js';
import { numberList, quotient } from './import-options.js';
import { channelList, inputFlags, inputSize, resizeOption } from './input-options.js';
import { readDraft } from './model-draft.js';
import { type ModelsPlace, type ModelsPlaceOptions, openModelsPlace } from './models-place.js';
import { widthOf } from './terminal.js';

const gateMetrics = [
  'macro_f1_present',
  'macro_f1',
  'micro_f1',
  'exact_match',
  'macro_average_precision_present',
] as const satisfies readonly PromotionGate['metric'][];

/** `models`: what is on disk or on a server, and which version answers. */
export const modelsVerb: Verb = (terminal) => {
  const command = (name: string, description: string) =>
    createCommand(name, description)
      .option(flags.models, flags.modelsHelp)
      .option(flags.server, flags.serverHelp, address)
      .option(flags.json, flags.jsonHelp);
  const say = (json: true | undefined, model: ModelDescription, line: string) =>
    terminal.print(json ? JSON.stringify(model) : line);

  const list = command('list', 'every version of every model')
    .addHelpText('after', example('models list', 'models list --server localhost:50051'))
    .action((options) =>
      inPlace(options, async (place) => {
        const models = await place.list();
        if (options.json) terminal.print(JSON.stringify(models));
        else if (models.length === 0) {
          terminal.note(
            'no models yet; train one with: npx cytostream train --data DIR --model NAME',
          );
        } else terminal.print(formatModels(models, widthOf(terminal)));
      }),
    );

  const show = command('show', 'one version: labels, input, thresholds, scores, lineage')
    .argument('<model>', flags.modelHelp)
    .addHelpText('after', example('models show cells@candidate --json'))
    .action((ref, options) =>
      inPlace(options, async (place) => {
        const model = await place.get(ref);
        say(options.json, model, formatModel(model, widthOf(terminal)));
      }),
    );

  const promote = command('promote', 'make a version the live one')
    .argument('<name@version>', 'the version')
    .option('--gate-data <dir>', 'refuse it unless it beats the live version on this dataset')
    .option('--gate-margin <number>', 'by how much; 0: it must be no worse', numberFrom(0, 1), 0.01)
    .addOption(
      new Option(
        '--gate-metric <name>',
        'what is compared; beside a macro mean, micro F1 may not fall by more than that',
      )
        .choices(gateMetrics)
        .default<PromotionGate['metric']>('macro_f1_present'),
    )
    .addHelpText(
      'after',
      example('models promote cells@3', 'models promote cells@3 --gate-data held-out'),
    )
    .action((ref, options) =>
      inPlace(options, async (place) => {
        const [, name, version] = /^(.+)@(\d+)$/.exec(ref) ?? [];
        if (name === undefined) throw new UsageError(`expected NAME@VERSION, got "${ref}"`);
        const { gateData, gateMargin: margin, gateMetric: metric, server } = options;
        const dataPath =
          gateData === undefined || server !== undefined ? gateData : resolve(gateData);
        const gate = dataPath === undefined ? undefined : { dataPath, margin, metric };
        const model = await place.promote(name, Number(version), gate);
        say(
          options.json,
          model,
          `${name}@${model.version} is live; undo with: npx cytostream models rollback ${name}`,
        );
      }),
    );

  const rollback = command('rollback', 'make the version that was live before live again')
    .argument('<name>', 'the model')
    .addHelpText('after', example('models rollback cells'))
    .action((name, options) =>
      inPlace(options, async (place) => {
        const model = await place.rollback(name);
        say(options.json, model, `${name}@${model.version} is live again`);
      }),
    );

  const add = command('import', 'add a model made elsewhere as a version; not promoted')
    .requiredOption('--name <name>', 'name the version is published under')
    .option('--onnx <file>', '[N, C, H, W] in, [N, labels] out; uint8 as it is, floats scaled')
    .option('--keras <file>', '.keras or .h5; frames reach it as 0..1, [N, H, W, C]')
    .option('--tfjs <file>', 'model.json of the layers format, its weight files beside it')
    .option(inputFlags.labels, inputFlags.labelsHelp)
    .option(inputFlags.channels, inputFlags.channelsHelp, channelList)
    .option(inputFlags.size, 'WIDTHxHEIGHT or edge, where an ONNX file takes any', inputSize)
    .option(
      '--scale <number>',
      'ONNX of floats: factor of pixels 0..255 (default: 1/255)',
      quotient,
    )
    .option('--mean <numbers>', 'then subtracted, one a channel or one for all', numberList)
    .option('--std <numbers>', 'then what is left is divided by, the same', numberList)
    .option('--logits', 'ONNX that gives logits: put a sigmoid behind it')
    .addOption(resizeOption())
    .option('--threshold <number>', 'probability from which a label is given', numberAbove(0, 1))
    .addHelpText(
      'after',
      example(
        'models import --name cells --onnx cells.onnx',
        'models import --name cells --onnx cells.onnx --mean 0.1,0.1,0.1,0.1 --logits',
        'models import --name cells --keras cells.keras',
      ),
    )
    .action((options) =>
      inPlace(options, async (place) => {
        const model = await place.importModel(await readDraft(options));
        const ref = `${model.name}@${model.version}`;
        say(
          options.json,
          model,
          `imported ${ref}; make it live with: npx cytostream models promote ${ref}`,
        );
      }),
    );

  const give = createCommand('export', 'write a version of the folder for other programs')
    .argument('<model>', flags.modelHelp)
    .requiredOption('--out <dir>', 'folder to make')
    .option('--format <format>', 'onnx, or tfjs: TensorFlow.js layers', exportFormat, 'onnx')
    .option(flags.models, flags.modelsHelp)
    .option(flags.json, flags.jsonHelp)
    .addHelpText(
      'after',
      `${example('models export cells@3 --format tfjs --out cells-tfjs')}
With tfjs the model takes pixels 0..255 as float32 [N, H, W, C]; with onnx, as
it is served.
`,
    )
    .action(async (ref, { out, format, models, json }) => {
      const exported = await exportVersion(ref, { out, format, models });
      const { name, version, files } = exported;
      terminal.print(
        json ? JSON.stringify(exported) : `exported ${name}@${version}: ${files.join(', ')}`,
      );
    });

  return createCommand('models', 'list, show, promote, roll back, import and export models')
    .addCommand(list)
    .addCommand(show)
    .addCommand(promote)
    .addCommand(rollback)
    .addCommand(add)
    .addCommand(give)
    .addHelpText('after', example('models list', 'models promote cells@3'));
};

async function inPlace(
  options: ModelsPlaceOptions,
  use: (place: ModelsPlace) => Promise<void>,
): Promise<void> {
  const place = await openModelsPlace(options);
  try {
    await use(place);
  } finally {
    await place.close();
  }
}
