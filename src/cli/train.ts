import { Option } from '@commander-js/extra-typings';
import {
  address,
  createCommand,
  example,
  numberAbove,
  numberFrom,
  partBelow1,
  type Verb,
  wholeNumber,
} from './command.js';
import { UsageError } from './failure.js';
import { flags } from './flags.js';
import {
  channelList,
  inputFlags,
  inputSize,
  readLabelFile,
  resizeOption,
} from './input-options.js';
import { type RunRequest, trainInPlace, trainOnServer } from './run-training.js';

/** The networks of this version, the default first. */
const networks = ['seed-cnn', 'resnet-small', 'resnet-large'] as const;
/** Names of `recipes` of the training, the default first. */
const recipeNames = ['card', 'residual'] as const;
const splits = ['auto', 'first', 'group'] as const;
const schedules = ['decay', 'cosine'] as const;
const losses = ['bce', 'weighted', 'focal'] as const;
const optimisers = ['adam', 'adamw'] as const;
const samplings = ['shuffled', 'balanced'] as const;
const augmentations = ['none', 'cells', 'sizes'] as const;
const engines = ['onnxruntime', 'tensorflow'] as const;

/** One of some words, the first unless it is given. */
const choice = <const Flags extends string, const Words extends readonly [string, ...string[]]>(
  givenAs: Flags,
  description: string,
  words: Words,
) => new Option(givenAs, description).choices(words).default<Words[number]>(words[0]);

const partOrNone = partBelow1({ orNone: true });
const list = (text: string): readonly string[] => text.split(',').filter((each) => each !== '');

/** `train`: makes a version of a model from a labelled dataset. */
export const trainVerb: Verb = (terminal) =>
  createCommand('train', 'train a model on a labelled dataset and publish it as a version')
    .requiredOption(flags.data, flags.dataHelp)
    .requiredOption('--model <name>', 'name the version is published under')
    .option(inputFlags.size, 'edge of the input, or its WIDTHxHEIGHT (default: 128)', inputSize)
    .option(inputFlags.channels, inputFlags.channelsHelp, channelList)
    .addOption(resizeOption())
    .option(inputFlags.labels, inputFlags.labelsHelp)
    // A server may know others.
    .option('--network <name>', `network to train: ${networks.join(', ')}`, networks[0])
    .addOption(
      choice(
        '--recipe <name>',
        'what fills the options that are not given: residual is resnet-small and what suits it',
        recipeNames,
      ),
    )
    .option('--epochs <number>', 'passes over the training part', wholeNumber(1, 100_000), 60)
    .option('--batch <number>', 'frames a step', wholeNumber(1, 4096), 128)
    .option('--share <number>', 'part of the dataset that is used, 0 to 1', numberAbove(0, 1), 1)
    .option('--training-part <number>', 'part of it that trains', partBelow1(), 0.8)
    .option(
      '--held-out <number>',
      'part put aside before, which takes part in nothing; score it: evaluate --part unseen',
      partOrNone,
      0,
    )
    .addOption(choice('--split <rule>', 'auto: by group where there are groups', splits))
    .option('--seed <number>', 'fixes weights, order and dropout', wholeNumber(0), 1)
    .option('--learning-rate <number>', 'rate before the schedule', numberAbove(0), 1e-3)
    .addOption(
      choice(
        '--schedule <name>',
        'rate / (1 + rate / epochs * steps), or a cosine to 0',
        schedules,
      ),
    )
    .option(
      '--warm-up <number>',
      "part of the steps in which a cosine's rate rises; 0 is none",
      partOrNone,
      0.05,
    )
    .option(
      '--patience <number>',
      'epochs without a better loss before it ends',
      wholeNumber(1, 100_000),
      6,
    )
    .addOption(choice('--loss <name>', 'cross-entropy, weighted for rare labels, or focal', losses))
    .option(
      '--max-positive-weight <number>',
      'bound of the weighted loss',
      numberAbove(0, 10_000),
      10,
    )
    .option('--focal-gamma <number>', 'gamma of the focal loss', numberAbove(0, 10), 2)
    .addOption(choice('--sampling <name>', 'balanced: rare labels come more often', samplings))
    .addOption(
      choice(
        '--augmentation <name>',
        'cells: flips, turns, crops, stains; sizes: also from 0.45 to 1.25 as large',
        augmentations,
      ),
    )
    .addOption(choice('--optimiser <name>', 'adamw has weight decay', optimisers))
    .option(
      '--weight-decay <number>',
      "AdamW's; spares biases and norms; 0 is none",
      numberFrom(0, 1),
      0.01,
    )
    .option(
      '--clip-norm <number>',
      'bound of the norm of all gradients; 0 is none',
      numberFrom(0),
      0,
    )
    .option('--ema-decay <number>', 'averages the weights, such as 0.999; 0 is none', partOrNone, 0)
    .addOption(choice('--engine <name>', 'what runs the steps', engines))
    .option(
      '--from <name[@version]>',
      'begin with the weights of this version, whose size, channels, rule and labels are then the defaults; what it was trained on does not validate',
      '',
    )
    .option(
      '--freeze <layers>',
      'layers of it that stay as they are: conv1,conv2 or conv*',
      list,
      [],
    )
    .option(
      '--folds <number>',
      'cross-validate instead, in place only: mean and spread, no version (a server keeps each that it trains)',
      wholeNumber(2),
    )
    .option('--out <dir>', 'with --folds: write its report there')
    .option('--doubts <number>', 'with --folds: name frames with doubted labels', wholeNumber(1))
    .option('--promote', 'make the new version live; the first version of a name always is')
    .option('--run-id <id>', 'name of the run; without it one is made')
    .option(flags.models, flags.modelsHelp)
    .option(flags.runs, flags.runsHelp)
    .option(flags.server, flags.serverHelp, address)
    .option(flags.json, 'print one event a line, for a script')
    .addHelpText(
      'after',
      `${example('train --data my-cells --model cells --epochs 20 --batch 32', 'train --data my-cells --model cells --recipe residual', 'train --data my-cells --model cells --folds 5 --out folds')}
Ctrl-C ends the run after the step it is in and keeps its best weights; with
--server it only stops watching and the run goes on. A second Ctrl-C leaves at
once.
`,
    )
    .action(async (options, command) => {
      const { recipes } = await import('../training/index.js');
      const isGiven = (key: string): boolean =>
        command.getOptionValueSource(key === 'batchSize' ? 'batch' : key) !== 'default';
      const filled = Object.entries(recipes[options.recipe]).filter(([key]) => !isGiven(key));
      const request: RunRequest = {
        spec: {
          dataPath: options.data,
          model: options.model,
          inputSpec: { ...options.size, channels: options.channels, resize: options.resize },
          labels: options.labels === undefined ? [] : await readLabelFile(options.labels),
          network: options.network,
          epochs: options.epochs,
          batchSize: options.batch,
          share: options.share,
          trainingPart: options.trainingPart,
          heldOut: options.heldOut,
          split: options.split,
          seed: options.seed,
          learningRate: options.learningRate,
          patience: options.patience,
          promote: options.promote === true,
          loss: options.loss,
          focalGamma: options.focalGamma,
          maxPositiveWeight: options.maxPositiveWeight,
          sampling: options.sampling,
          augmentation: options.augmentation,
          engine: options.engine,
          schedule: options.schedule,
          warmUp: options.warmUp,
          optimiser: options.optimiser,
          weightDecay: options.weightDecay,
          clipNorm: options.clipNorm,
          emaDecay: options.emaDecay,
          parent: options.from,
          freeze: options.freeze,
          ...Object.fromEntries(filled),
        },
        runId: options.runId,
        json: options.json === true,
      };
      if (options.folds === undefined && (options.out ?? options.doubts) !== undefined) {
        throw new UsageError('--out, --doubts: expected with --folds; a run keeps its own report');
      }
      if (options.folds !== undefined) {
        if (options.server !== undefined) {
          throw new UsageError(
            '--folds: expected to work in place, without --server: the versions of the folds are thrown away, a server keeps each that it trains',
          );
        }
        const { crossValidate } = await import('./cross-validate.js');
        const { folds, out, runs, doubts: doubtCount = 0 } = options;
        return crossValidate({ ...request, folds, out, runs, doubtCount }, terminal);
      }
      await (options.server === undefined
        ? trainInPlace(request, options, terminal)
        : trainOnServer(request, options.server, terminal));
    });
