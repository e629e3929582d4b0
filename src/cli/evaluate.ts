import { basename, resolve } from 'node:path';
import { Option } from '@commander-js/extra-typings';
import { DomainError } from '../errors.js';
import type { EvaluatedPart, Report } from '../evaluation/index.js';
import type { Manifest } from '../models/index.js';
import type { ExplainFrame } from '../reports/index.js';
import { formatTable, left, right } from '../table.js';
import type { EpochScores, Run } from '../training/index.js';
import { address, createCommand, example, type Verb, wholeNumber } from './command.js';
import { UsageError } from './failure.js';
import { evaluatedParts, flags } from './flags.js';
import { withParts } from './in-place.js';
import { claimOutFolder } from './out-path.js';
import { type Terminal, widthOf } from './terminal.js';
import { withProgress } from './with-progress.js';

/** `evaluate`: scores a version on a labelled dataset. */
export const evaluateVerb: Verb = (terminal) =>
  createCommand('evaluate', 'score a version of a model on a labelled dataset')
    .requiredOption(flags.data, flags.dataHelp)
    .requiredOption(flags.model, flags.modelHelp)
    .addOption(
      new Option('--part <name>', 'frames that are scored: unseen leaves out those it has seen')
        .choices(evaluatedParts)
        .default<EvaluatedPart>('all'),
    )
    .option(
      '--out <dir>',
      'write the report, its pictures and predictions.csv there; of a server the report alone',
    )
    .option('--doubts <number>', 'name so many frames whose labels it doubts', wholeNumber(1))
    .option('--explain', 'with --out: show where the evidence for the labels of the worst lies')
    .option(flags.models, flags.modelsHelp)
    .option(flags.runs, `${flags.runsHelp}, for the curves of its training`)
    .option(flags.server, `${flags.serverHelp}; DIR is a folder of the server`, address)
    .option(flags.json, flags.jsonHelp)
    .addHelpText(
      'after',
      example('evaluate --data my-cells --model cells@3 --part unseen --out report'),
    )
    .action(async (options) => {
      if (options.server !== undefined && options.explain === true) {
        throw new UsageError(
          '--explain: expected to work in place, a server sends the report alone; classify --explain asks it for maps',
        );
      }
      if (options.explain === true && options.out === undefined) {
        throw new UsageError('--explain: expected --out DIR, where the pictures go');
      }
      const evaluated = await (options.server === undefined
        ? evaluateInPlace(options, terminal)
        : evaluateOnServer({ ...options, server: options.server }, terminal));
      const { formatReport } = await import('../evaluation/index.js');
      const { model, version, report } = evaluated;
      if (options.json) terminal.print(JSON.stringify({ model, version, ...report }));
      else {
        terminal.print(`${model}@${version}\n${formatReport(report, widthOf(terminal)).trimEnd()}`);
        if (report.doubts.length > 0) terminal.print(`\n${await formatDoubts(report)}`);
        if (options.out !== undefined) terminal.print(`\nthe report is in ${options.out}`);
      }
    });

interface Evaluated {
  readonly model: string;
  readonly version: number;
  readonly report: Report;
}

function evaluateInPlace(
  options: {
    readonly data: string;
    readonly model: string;
    readonly part: EvaluatedPart;
    readonly out?: string | undefined;
    readonly doubts?: number | undefined;
    readonly explain?: true | undefined;
    readonly models?: string | undefined;
    readonly runs?: string | undefined;
  },
  terminal: Terminal,
): Promise<Evaluated> {
  return withParts(options, async ({ registry, classifier, trainer, store }) => {
    const { readFrame } = await import('../dataset/index.js');
    const { evaluateVersion } = await import('../server.js');
    const { writeReport } = await import('../reports/index.js');
    const handle = await registry.acquire(options.model);
    try {
      // Known before an hour of scoring.
      if (options.explain) handle.explainer.assertExplains();
      if (options.out !== undefined) await claimOutFolder(options.out);
      const { name, version, labels } = handle.manifest;
      const { doubts: doubtCount = 0, part } = options;
      const wish = { handle, path: resolve(options.data), part, doubtCount };
      const { report, dataset, frames, rows } = await withProgress(bar, terminal, (way) =>
        evaluateVersion(wish, { classifier, store }, way),
      );
      if (options.out !== undefined) {
        const byId = new Map(frames.map((frame) => [frame.id, frame]));
        const read = (id: string) => {
          const frame = byId.get(id);
          if (frame === undefined) throw new Error(`bug: the report shows "${id}"`);
          return readFrame(dataset, frame);
        };
        const explain: ExplainFrame = async (id, labelIndices) => {
          const wish = { labels: labelIndices.map((label) => labels[label] ?? '') };
          const { explanation } = await classifier.classify(await read(id), handle, {
            explain: { ...wish, givenLabels: false, embedding: false },
          });
          return explanation?.maps ?? [];
        };
        await writeReport(resolve(options.out), report, {
          title: `${name}@${version} on ${basename(resolve(options.data))}`,
          notes: [aboutOf(handle.manifest, frames.length)],
          rows,
          history: await historyOf(handle.manifest, (id) => trainer.get(id)),
          readFrame: read,
          ...(options.explain ? { explain } : {}),
        });
      }
      return { model: name, version, report };
    } finally {
      handle.release();
    }
  });
}

/** What a reader of the report should know of the version, in a sentence each. */
function aboutOf(manifest: Manifest, frameCount: number): string {
  const { name, version, runId, parent, createdAt, thresholdsSource, calibration } = manifest;
  const made = runId === null ? 'imported' : `made by run ${runId}`;
  return [
    `${frameCount} frames answered by ${name}@${version}, ${made}${parent === null ? '' : ` from ${parent}`} on ${createdAt.slice(0, 10)}.`,
    `Thresholds: ${thresholdsSource}.`,
    ...(calibration === null
      ? []
      : [
          `Probabilities at temperature ${calibration.temperature.toFixed(2)}, fitted on ${calibration.frameCount} validation frames.`,
        ]),
  ].join(' ');
}

/** The epochs of the training of a version: those that it keeps, else those of its run; none for one from elsewhere. */
async function historyOf(
  { training, runId }: Pick<Manifest, 'training'> & { readonly runId: string | null },
  get: (runId: string) => Promise<Run>,
): Promise<readonly EpochScores[]> {
  const { completeScores } = await import('../training/index.js');
  if (training && training.history.length > 0) return training.history.map(completeScores);
  if (!runId) return [];
  return get(runId).then(
    ({ history }) => history,
    (error: unknown) => {
      if (DomainError.from(error).code === 'run_unknown') return [];
      throw error;
    },
  );
}

async function evaluateOnServer(
  options: {
    readonly data: string;
    readonly model: string;
    readonly server: string;
    readonly part: EvaluatedPart;
    readonly out?: string | undefined;
    readonly doubts?: number | undefined;
  },
  terminal: Terminal,
): Promise<Evaluated> {
  if (options.out !== undefined) await claimOutFolder(options.out);
  const { history, ...evaluated } = await askServer(options, terminal);
  if (options.out !== undefined) {
    const { model, version, report } = evaluated;
    const { writeReport } = await import('../reports/index.js');
    await writeReport(resolve(options.out), report, {
      title: `${model}@${version} on ${basename(options.data)}`,
      notes: [`Evaluated by ${options.server}, where the frames are: none are shown here.`],
      history,
    });
  }
  return evaluated;
}

async function askServer(
  options: {
    readonly data: string;
    readonly model: string;
    readonly server: string;
    readonly part: EvaluatedPart;
    readonly doubts?: number | undefined;
  },
  terminal: Terminal,
): Promise<Evaluated & { readonly history: readonly EpochScores[] }> {
  const { connect } = await import('../client/index.js');
  const client = connect(options.server);
  const { data: dataPath, model, doubts = 0, part } = options;
  const request = { dataPath, model, doubts, part };
  try {
    return await withProgress(bar, terminal, async ({ signal, onProgress }) => {
      for await (const reply of client.evaluate(request, { signal })) {
        if (reply.kind === 'report') {
          const { modelName, modelVersion: version, report } = reply;
          const description = await client.getModel(`${modelName}@${version}`, { signal });
          const history = await historyOf(description, (id) => client.getRun(id, { signal }));
          return { model: modelName, version, report, history };
        }
        onProgress(reply.done, reply.total);
      }
      throw new Error('the server ended the evaluation without a report');
    });
  } finally {
    client.close();
  }
}

const bar = { title: 'evaluating', unit: 'frames', total: 0 };

async function formatDoubts({ doubts, labels }: Report): Promise<string> {
  const { foremostDoubts } = await import('../evaluation/index.js');
  return formatTable(
    [left('doubted frame'), left('label'), left('in the dataset'), right('probability')],
    doubts.flatMap((frame) => {
      const { foremost, moreCount } = foremostDoubts(frame);
      return [
        ...foremost.map(({ label, isGiven, probability }) => [
          frame.id,
          `${label} ${labels[label]?.label}`,
          isGiven ? 'given' : 'not given',
          probability.toFixed(3),
        ]),
        ...(moreCount > 0 ? [[frame.id, `and ${moreCount} more`, '', '']] : []),
      ];
    }),
  );
}
