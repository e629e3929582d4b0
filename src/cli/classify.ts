import { join, parse, resolve } from 'node:path';
import type { Dataset, DatasetFrame } from '../dataset/index.js';
import { DomainError } from '../errors.js';
import type { ClassifiedDataset } from '../evaluation/index.js';
import type { Handle, Manifest } from '../models/index.js';
import { address, createCommand, example, type Verb } from './command.js';
import { Exit } from './failure.js';
import { flags } from './flags.js';
import { withParts } from './in-place.js';
import { claimOutFile } from './out-path.js';
import type { Terminal } from './terminal.js';
import { withProgress } from './with-progress.js';
import {
  type ExplainedDataset,
  explainedAtOnce,
  openExplained,
  toWish,
} from './write-explained.js';

/** `classify`: writes the probabilities of every frame of a dataset. */
export const classifyVerb: Verb = (terminal) =>
  createCommand('classify', 'write the probability of every label for every frame of a dataset')
    .requiredOption(flags.data, flags.dataHelp)
    .requiredOption(flags.model, flags.modelHelp)
    .option('--out <file>', 'csv with the columns Id,Target,p0,p1,…', 'predictions.csv')
    .option(
      '--explain [label...]',
      'also write where the evidence lies, a grey PNG a frame and label: for each label that is given, or for these; into <file>-maps/ beside <file>.csv',
    )
    .option(
      '--embeddings',
      "also write the network's embedding of each frame into <file>-embeddings.csv",
    )
    .option(flags.models, flags.modelsHelp)
    .option(flags.server, 'stream the same frames to this server', address)
    .option(flags.json, 'print a summary as JSON, for a script')
    .addHelpText(
      'after',
      example(
        'classify --data my-cells --model cells --out predictions.csv',
        'classify --data my-cells --model cells --server localhost:50051',
        'classify --data my-cells --model cells --explain Nucleoli 25',
      ),
    )
    .action(async (options) => {
      const { writePredictions } = await import('../evaluation/index.js');
      const startedAtMs = performance.now();
      const { model, rows, failures, mapCount } = await (options.server === undefined
        ? classifyInPlace(options, terminal)
        : classifyOnServer({ ...options, server: options.server }, terminal));
      const seconds = (performance.now() - startedAtMs) / 1000;
      await writePredictions(resolve(options.out), rows);
      const ref = `${model.name}@${model.version}`;
      if (options.json) {
        const summary = { model: ref, frames: rows.length, failures, seconds, out: options.out };
        terminal.print(JSON.stringify({ ...summary, ...(mapCount === null ? {} : { mapCount }) }));
      } else {
        terminal.print(`${ref} classified ${rows.length} frames into ${options.out}`);
        if (mapCount !== null) {
          terminal.print(`${mapCount} maps of evidence are in ${beside(options.out, 'maps')}`);
        }
        if (options.embeddings) {
          terminal.print(`their embeddings are in ${beside(options.out, 'embeddings.csv')}`);
        }
        if (rows.some(({ labelIndices }) => labelIndices !== null)) {
          terminal.print(`score them with: npx cytostream score --predictions ${options.out}`);
        }
      }
      for (const { id, message } of failures) terminal.note(`cytostream: ${id}: ${message}`);
      if (failures.length > 0) throw new Exit(1);
    });

/** The version that answers, as far as it says how frames are read. */
type AnsweringModel = Pick<Manifest, 'name' | 'version' | 'labels' | 'inputSpec'>;

const bar = (total: number) => ({ title: 'classifying', unit: 'frames', total });

type Classified = ClassifiedDataset & {
  readonly model: AnsweringModel;
  /** null where no maps were asked for. */
  readonly mapCount: number | null;
};

interface ClassifyWords {
  readonly data: string;
  readonly model: string;
  readonly out: string;
  readonly explain?: true | readonly string[] | undefined;
  readonly embeddings?: true | undefined;
}

/** Beside the predictions, so that a folder holds what one command made. */
function beside(out: string, ending: string): string {
  const { dir, name } = parse(out);
  return join(dir, `${name}-${ending}`);
}

const isExplained = ({ explain, embeddings }: ClassifyWords): boolean =>
  explain !== undefined || embeddings === true;

function classifyInPlace(
  options: ClassifyWords & { readonly models?: string | undefined },
  terminal: Terminal,
): Promise<Classified> {
  return withParts(options, async ({ registry, classifier }) => {
    const { classifyDataset } = await import('../evaluation/index.js');
    const { readFrame } = await import('../dataset/index.js');
    const handle = await registry.acquire(options.model);
    try {
      const model = handle.manifest;
      if (isExplained(options)) handle.explainer.assertExplains();
      const dataset = await openFor(model, options.data);
      await claimOutFile(options.out);
      const explained = await explainedFor(options, model, dataset);
      const asked =
        explained === null
          ? {}
          : {
              explain: explained.wish,
              onPrediction: explained.write,
              concurrency: explainedAtOnce,
            };
      const classified = await withProgress(bar(dataset.frames.length), terminal, (way) =>
        classifyDataset<DatasetFrame, Handle>(
          dataset.frames,
          {
            ...{ classifier, handle },
            readFrame: explained?.readFrame ?? ((frame) => readFrame(dataset, frame)),
          },
          { ...way, ...asked },
        ),
      );
      const mapCount = (await explained?.finish()) ?? null;
      return { model, ...told(classified, dataset.hasLabels), mapCount };
    } finally {
      handle.release();
    }
  });
}

async function classifyOnServer(
  options: ClassifyWords & { readonly server: string },
  terminal: Terminal,
): Promise<Classified> {
  const { connect } = await import('../client/index.js');
  const { streamDataset } = await import('./stream-dataset.js');
  const client = connect(options.server);
  try {
    const model = await client.getModel(options.model);
    if (isExplained(options) && !model.explains) {
      throw new DomainError('unsupported', `${model.name}@${model.version} gives no explanations`);
    }
    const dataset = await openFor(model, options.data);
    await claimOutFile(options.out);
    const explained = await explainedFor(options, model, dataset);
    // What was asked about is what answers, even if another version is promoted meanwhile.
    const ref = `${model.name}@${model.version}`;
    const classified = await withProgress(bar(dataset.frames.length), terminal, (way) =>
      streamDataset(dataset, { client, model: ref }, { ...way, explained }),
    );
    const mapCount = (await explained?.finish()) ?? null;
    return { model, ...told(classified, dataset.hasLabels), mapCount };
  } finally {
    client.close();
  }
}

async function explainedFor(
  words: ClassifyWords,
  { labels }: AnsweringModel,
  dataset: Dataset,
): Promise<ExplainedDataset | null> {
  if (!isExplained(words)) return null;
  return openExplained(toWish(words, labels), {
    dataset,
    folder: words.explain === undefined ? null : resolve(beside(words.out, 'maps')),
    embeddingsFile: resolve(beside(words.out, 'embeddings.csv')),
  });
}

/** Where nobody knows the labels, a file without `Target` says so. */
function told(classified: ClassifiedDataset, hasLabels: boolean): ClassifiedDataset {
  if (hasLabels) return classified;
  return { ...classified, rows: classified.rows.map((row) => ({ ...row, labelIndices: null })) };
}

async function openFor({ inputSpec, labels }: AnsweringModel, data: string) {
  const { openDataset } = await import('../dataset/index.js');
  const { channels } = inputSpec;
  return openDataset(resolve(data), { channels, labels, wantLabels: false });
}
