import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Option } from '@commander-js/extra-typings';
import type { ModelDescription, ModelImport, PromotionGate } from '../client/index.js';
import { hpaLabels } from '../label-set.js';
import { formatTable, left, right, type TableOptions } from '../table.js';
import {
  address,
  createCommand,
  example,
  numberAbove,
  numberFrom,
  type Verb,
  wholeNumber,
} from './command.js';
import { exportFormat, exportVersion } from './export-version.js';
import { UsageError } from './failure.js';
import { flags } from './flags.js';
import { readForeignModel } from './foreign-model.js';
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
        say(options.json, model, formatModel(model));
      }),
    );

  const promote = command('promote', 'make a version the live one')
    .argument('<name@version>', 'the version')
    .option('--gate-data <dir>', 'refuse it unless it beats the live version on this dataset')
    .option('--gate-margin <number>', 'by how much; 0: it must be no worse', numberFrom(0), 0.01)
    .addOption(
      new Option('--gate-metric <name>', 'what is compared')
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
    .option('--onnx <file>', 'uint8 [N, C, H, W] in, float32 [N, labels] probabilities out')
    .option('--keras <file>', '.keras or .h5; frames reach it as 0..1, [N, H, W, C]')
    .option('--tfjs <file>', 'model.json of the layers format, its weight files beside it')
    .option('--labels <file>', 'a label name a line, in order; without it the 28 of the HPA')
    .option('--channels <names>', 'channel roles in order, with commas (default: those of the HPA)')
    .option('--size <pixels>', 'edge of an ONNX input (default: 128)', wholeNumber(1, 8192))
    .option('--threshold <number>', 'probability from which a label is given', numberAbove(0, 1))
    .addHelpText(
      'after',
      example(
        'models import --name cells --onnx cells.onnx',
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

interface DraftOptions {
  readonly name: string;
  readonly onnx?: string | undefined;
  readonly keras?: string | undefined;
  readonly tfjs?: string | undefined;
  readonly labels?: string | undefined;
  readonly channels?: string | undefined;
  readonly size?: number | undefined;
  readonly threshold?: number | undefined;
}

/** What the options say of a model made elsewhere, held against what its file says. */
async function readDraft(options: DraftOptions): Promise<ModelImport> {
  const { onnx, keras, tfjs, size, threshold } = options;
  const [path, ...others] = [onnx, keras, tfjs].filter((file) => file !== undefined);
  if (path === undefined || others.length > 0) {
    throw new UsageError('expected one of --onnx, --keras and --tfjs');
  }
  const labels =
    options.labels === undefined
      ? hpaLabels
      : (await readFile(options.labels, 'utf8'))
          .split(/\r?\n/)
          .map((line) => line.trim())
          .filter((line) => line !== '');
  const { hpaChannels } = await import('../frames/index.js');
  const channels = options.channels?.split(',') ?? hpaChannels;
  const foreign = onnx === undefined ? await readForeignModel(path) : null;
  const { heightPx, widthPx } = foreign ?? { heightPx: size ?? 128, widthPx: size ?? 128 };
  if (foreign) {
    const { channelCount, labelCount } = foreign;
    const faults = [
      ...differs('channels', channelCount, channels.length),
      ...differs('labels', labelCount, labels.length),
      ...(size === undefined ? [] : differs('size', widthPx, size)),
    ];
    if (faults.length > 0) throw new UsageError(faults.join('; '));
  }
  return {
    name: options.name,
    onnx: foreign?.onnx ?? (await readFile(path)),
    labels,
    inputSpec: { channels, widthPx, heightPx, resize: 'bilinear' },
    ...(threshold === undefined ? {} : { thresholds: labels.map(() => threshold) }),
  };
}

function differs(what: string, inFile: number, given: number): readonly string[] {
  return inFile === given ? [] : [`--${what}: expected ${inFile} as in the file, got ${given}`];
}

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

function formatModels(models: readonly ModelDescription[], options: TableOptions): string {
  return formatTable(
    [
      ...[left('model'), left('aliases'), left('state')],
      ...[right('macro F1'), right('accuracy'), right('"no"')],
      ...[left('created', 2), left('run', 1)],
    ],
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
    options,
  );
}

function formatModel(model: ModelDescription): string {
  const { inputSpec, scores } = model;
  const facts: readonly (readonly [string, string])[] = [
    ['model', `${model.name}@${model.version}`],
    ['aliases', model.aliases.join(', ') || '-'],
    ['state', model.failure === '' ? model.state : `${model.state}: ${model.failure}`],
    ['device', model.device || 'not loaded'],
    ['precision', [model.precision || '-', model.precisionNote].filter(Boolean).join(': ')],
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
    ['explains', model.explains ? 'yes: classify --explain' : 'no'],
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
    [right('index'), left('label'), right('threshold')],
    model.labels.map((label, index) => [index, label, model.thresholds[index]?.toFixed(3) ?? '-']),
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
