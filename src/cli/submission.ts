import { resolve } from 'node:path';
import type { DatasetFrame } from '../dataset/index.js';
import type { Handle } from '../models/index.js';
import { createCommand, example, type Verb } from './command.js';
import { Exit } from './failure.js';
import { flags } from './flags.js';
import { withParts } from './in-place.js';
import { claimOutFile } from './out-path.js';
import { withProgress } from './with-progress.js';

/** `submission`: the labels of a test folder, as the competition wants them. */
export const submissionVerb: Verb = (terminal) =>
  createCommand('submission', 'write the labels of a test folder as Id,Predicted')
    .requiredOption(
      '--data <dir>',
      'folder with sample_submission.csv and test/<Id>_{red,green,blue,yellow}.png',
    )
    .requiredOption(flags.model, flags.modelHelp)
    .option('--out <file>', 'csv with the columns Id,Predicted', 'submission.csv')
    .option(flags.models, flags.modelsHelp)
    .option(flags.json, 'print a summary as JSON, for a script')
    .addHelpText('after', example('submission --data test-set --model cells --out submission.csv'))
    .action((options) =>
      withParts(options, async ({ registry, classifier }) => {
        const { openTestFolder, readFrame } = await import('../dataset/index.js');
        const { classifyDataset, writeSubmission } = await import('../evaluation/index.js');
        const handle = await registry.acquire(options.model);
        try {
          const { name, version, thresholds, inputSpec } = handle.manifest;
          const dataset = await openTestFolder(resolve(options.data), inputSpec);
          const { frames } = dataset;
          const out = await claimOutFile(options.out);
          const { rows, failures } = await withProgress(
            { title: 'classifying', unit: 'frames', total: frames.length },
            terminal,
            (way) =>
              classifyDataset<DatasetFrame, Handle>(
                frames,
                { classifier, handle, readFrame: (frame) => readFrame(dataset, frame) },
                way,
              ),
          );
          for (const { id, message } of failures) terminal.note(`cytostream: ${id}: ${message}`);
          // The competition refuses a file that lacks a frame, and so do we.
          if (failures.length > 0) throw new Exit(1);
          const order = frames.map(({ id }) => id);
          await writeSubmission(out, rows, { order, thresholds });
          const model = `${name}@${version}`;
          terminal.print(
            options.json
              ? JSON.stringify({ model, frames: rows.length, out: options.out })
              : `${model} labelled ${rows.length} frames in ${options.out}`,
          );
        } finally {
          handle.release();
        }
      }),
    );
