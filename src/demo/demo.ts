import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Option } from '@commander-js/extra-typings';
import { createCommand, example, numberFrom, type Verb, wholeNumber } from '../cli/index.js';
import type { RecipeName } from './recipes.js';

/** What there are recipes for; these are loaded with the training, when there is one. */
const networks = ['resnet-small', 'seed-cnn'] as const satisfies readonly RecipeName[];
/** Hundred of each label and more; the recipes are made for them. */
const defaultTrainingFrames = 2400;

/** `demo`: the whole way, once, in a temporary folder. */
export const demoVerb: Verb = (terminal) =>
  createCommand('demo', 'the whole way in three minutes: simulate, train, evaluate, serve, stream')
    .addOption(
      new Option('--network <name>', 'network to train')
        .choices(networks)
        .default<RecipeName>('resnet-small'),
    )
    .option(
      '--frames <number>',
      'labelled frames to learn from',
      wholeNumber(40),
      defaultTrainingFrames,
    )
    .option('--seed <number>', 'fixes frames and weights', wholeNumber(0, 1_000_000), 1)
    .option('--seconds <number>', 'longest to train, by whole epochs', wholeNumber(1, 86_400), 180)
    .option(
      '--least-f1 <number>',
      'fail if macro F1 over all labels comes out lower (default: 0.6 for resnet-small that had all its frames and epochs)',
      numberFrom(0),
    )
    .option('--keep', 'leave the server up, and print how to call it')
    .addHelpText('after', example('demo', 'demo --network seed-cnn', 'demo --keep'))
    .action(async (options) => {
      const { runDemo } = await import('./run-demo.js');
      const folder = await mkdtemp(join(tmpdir(), 'cytostream-demo-'));
      const { network, frames, seed } = options;
      try {
        await runDemo(
          {
            folder,
            network,
            trainingFrames: frames,
            isSmall: frames < defaultTrainingFrames,
            seed,
            keep: options.keep === true,
            budgetMs: options.seconds * 1000,
            leastMacroF1: options.leastF1 ?? null,
          },
          terminal,
        );
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
