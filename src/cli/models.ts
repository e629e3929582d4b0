import { readFile } from 'node:fs/promises';
import type { ModelDescription } from '../client/index.js';
import { hpaLabels } from '../label-set.js';
import { address, createCommand, example, numberAbove, type Verb, wholeNumber } from './command.js';
import { UsageError } from './failure.js';
import { flags } from './flags.js';
import { type ModelsPlace, type ModelsPlaceOptions, openModelsPlace } from './models-place.js';
import { formatTable } from './table.js';

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
        } else terminal.print(formatModels(models));
      }),
    );

  const show = command('show', 'one version: labels, input, thresholds, scores, lineage')
    .argument('<model>', flags.modelHelp)
    .addHelpText('after', example('models show cells@candidate --json'))
    .action((ref, options) =>
      inPlace(options, async (place) => {
        const model = await place.get(ref);
        say(options.json, model, formatModel(model));
      }),
    );

  const promote = command('promote', 'make a version the live one')
    .argument('<name@version>', 'the version')
    .addHelpText('after', example('models promote cells@3'))
    .action((ref, options) =>
      inPlace(options, async (place) => {
        const [, name, version] = /^(.+)@(\d+)$/.exec(ref) ?? [];
        if (name === undefined) throw new UsageError(`expected NAME@VERSION, got "${ref}"`);
        const model = await place.promote(name, Number(version));
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

  const add = command('import', 'add an ONNX model made elsewhere as a version; not promoted')
    .requiredOption('--name <name>', 'name the version is published under')
    .requiredOption('--onnx <file>', 'uint8 [N, C, H, W] in, float32 [N, labels] probabilities out')
    .option('--labels <file>', 'a label name a line, in order; without it the 28 of the HPA')
    .option('--channels <names>', 'channel roles in order, with commas (default: those of the HPA)')
    .option('--size <pixels>', 'edge of the input', wholeNumber(1, 8192), 128)
    .option('--threshold <number>', 'probability from which a label is given', numberAbove(0, 1))
    .addHelpText('after', example('models import --name cells --onnx cells.onnx'))
    .action((options) =>
      inPlace(options, async (place) => {
        const labels =
          options.labels === undefined
            ? hpaLabels
            : (await readFile(options.labels, 'utf8'))
                .split(/\r?\n/)
                .map((line) => line.trim())
                .filter((line) => line !== '');
        const { hpaChannels } = await import('../frames/index.js');
        const { threshold } = options;
        const model = await place.importModel({
          name: options.name,
          onnx: await readFile(options.onnx),
          labels,
          inputSpec: {
            channels: options.channels?.split(',') ?? hpaChannels,
            widthPx: options.size,
            heightPx: options.size,
            resize: 'bilinear',
          },
          ...(threshold === undefined ? {} : { thresholds: labels.map(() => threshold) }),
        });
        const ref = `${model.name}@${model.version}`;
        say(
          options.json,
          model,
          `imported ${ref}; make it live with: npx cytostream models promote ${ref}`,
        );
      }),
    );

  return createCommand('models', 'list, show, promote, roll back and import models')
    .addCommand(list)
    .addCommand(show)
    .addCommand(promote)
    .addCommand(rollback)
    .addCommand(add)
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

function formatModels(models: readonly ModelDescription[]): string {
  return formatTable(
    ['model', 'aliases', 'state', 'macro F1', 'accuracy', '"no"', 'created', 'run'],
    models.map((model) => [
      `${model.name}@${model.version}`,
      model.aliases.join(', '),
      model.state,
      model.scores?.macroF1.toFixed(4) ?? '-',
      model.scores?.binaryAccuracy.toFixed(4) ?? '-',
      model.scores?.alwaysNoAccuracy.toFixed(4) ?? '-',
      new Date(model.createdAtMs).toISOString().slice(0, 19),
      model.runId === '' ? 'imported' : model.runId,
    ]),
    [3, 4, 5],
  );
}

function formatModel(model: ModelDescription): string {
  const { inputSpec, scores } = model;
  const facts: readonly (readonly [string, string])[] = [
    ['model', `${model.name}@${model.version}`],
    ['aliases', model.aliases.join(', ') || '-'],
    ['state', model.failure === '' ? model.state : `${model.state}: ${model.failure}`],
    ['device', model.device || 'not loaded'],
    [
      'input',
      `uint8 [N, ${inputSpec.channels.length}, ${inputSpec.heightPx}, ${inputSpec.widthPx}], ${inputSpec.resize}`,
    ],
    ['channels', inputSpec.channels.join(', ')],
    ['created', new Date(model.createdAtMs).toISOString()],
    ['run', model.runId || 'imported'],
    ['parent', model.parent || '-'],
    ['dataset', model.datasetFingerprint || '-'],
    ['sha256', model.sha256],
    ['thresholds', model.thresholdsSource],
    ['temperature', formatCalibration(model.calibration)],
    [
      'scores',
      scores === null
        ? 'none'
        : `macro F1 ${scores.macroF1.toFixed(4)}, binary accuracy ${scores.binaryAccuracy.toFixed(4)} ` +
          `("no" to everything: ${scores.alwaysNoAccuracy.toFixed(4)}), loss ${scores.loss.toFixed(4)}, ` +
          `on ${scores.frameCount} frames`,
    ],
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  const labels = formatTable(
    ['index', 'label', 'threshold'],
    model.labels.map((label, index) => [index, label, model.thresholds[index]?.toFixed(3) ?? '-']),
    [0, 2],
  );
  return `${facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n')}\n\n${labels}`;
}

function formatCalibration(calibration: ModelDescription['calibration']): string {
  if (calibration === null) return 'none: probabilities are served as they came';
  const { temperature, errorBefore, errorAfter, frameCount } = calibration;
  return (
    `${temperature.toFixed(3)}, within the graph; expected calibration error ` +
    `${errorBefore.toFixed(4)} before, ${errorAfter.toFixed(4)} after, on ${frameCount} validation frames`
  );
}
