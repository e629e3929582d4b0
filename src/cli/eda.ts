import { resolve } from 'node:path';
import { createCommand, example, type Verb } from './command.js';
import { flags } from './flags.js';
import { channelList, inputFlags, readLabelFile } from './input-options.js';
import { withProgress } from './with-progress.js';

/** `eda`: a first look at a labelled dataset. */
export const edaVerb: Verb = (terminal) =>
  createCommand('eda', 'draw and count what a labelled dataset holds')
    .requiredOption('--data <dir>', `${flags.dataHelp}; or a csv of Id,Target alone`)
    .requiredOption('--out <dir>', 'folder for the pictures and eda.json')
    .option(inputFlags.channels, inputFlags.channelsHelp, channelList)
    .option(inputFlags.labels, inputFlags.labelsHelp)
    .option(flags.json, 'print the numbers as JSON as well, for a script')
    .addHelpText('after', example('eda --data my-cells --out eda'))
    .action(async (options) => {
      const { exploreDataset, openForExploring } = await import('../eda/index.js');
      const { resolveChannel } = await import('../frames/index.js');
      const dataset = await openForExploring(resolve(options.data), {
        ...(options.channels ? { channels: options.channels.map(resolveChannel) } : {}),
        ...(options.labels === undefined ? {} : { labels: await readLabelFile(options.labels) }),
      });
      const summary = await withProgress(
        { title: 'drawing', unit: 'frames', total: 0 },
        terminal,
        (way) => exploreDataset(dataset, resolve(options.out), way),
      );
      if (options.json) {
        terminal.print(JSON.stringify(summary));
        return;
      }
      const present = summary.labels.filter(({ frames }) => frames > 0);
      terminal.print(
        `${summary.frameCount} frames, ${summary.meanLabelsPerFrame.toFixed(2)} labels a frame, ` +
          `${present.length} of ${summary.labels.length} labels present`,
      );
      terminal.print(
        `answering "no" to everything would be right in ${(summary.alwaysNoAccuracy * 100).toFixed(2)} % of all answers`,
      );
      terminal.print(`wrote ${summary.files.join(', ')} to ${options.out}`);
      for (const { id, message } of summary.unreadable)
        terminal.note(`cytostream: ${id}: ${message}`);
    });
