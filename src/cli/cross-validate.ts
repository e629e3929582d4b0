import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { Dataset, DatasetFrame, Fold } from '../dataset/index.js';
import { DomainError } from '../errors.js';
import type { Evaluation } from '../evaluation/index.js';
import type { Handle } from '../models/index.js';
import type { Parts } from '../server.js';
import type { OpenRunSpec, RunSpec } from '../training/index.js';
import { readConfig } from './config.js';
import { Exit, UsageError } from './failure.js';
import { followRun } from './follow-run.js';
import { withParts } from './in-place.js';
import { interruptedExitCode } from './interruption.js';
import { claimOutFolder } from './out-path.js';
import { readSpec } from './run-training.js';
import type { Terminal } from './terminal.js';
import { withProgress } from './with-progress.js';

export interface CrossValidateOptions {
  /** What each fold is trained by; its dataset is the whole. */
  readonly spec: OpenRunSpec;
  readonly folds: number;
  readonly json: boolean;
  /** Where the report goes; none is written without it. */
  readonly out: string | undefined;
  /** Folder of runs whose prepared frames the folds share, and add to. */
  readonly runs: string | undefined;
  /** So many frames whose labels are doubted most by trainings that had not seen them. */
  readonly doubtCount: number;
}

/**
 * Trains as many times as there are folds, each time without the frames of one, and scores
 * each version on the frames that it was kept from: groups never cross folds. Temperature
 * and thresholds of a fold are chosen on the validation part of its other frames. Runs and
 * versions are thrown away; what stays are the scores and the answers.
 *
 * Throws `option_invalid` for more folds than groups, and what a training throws.
 */
export async function crossValidate(
  { spec: asked, folds, json, out, runs, doubtCount }: CrossValidateOptions,
  terminal: Terminal,
): Promise<void> {
  if (asked.parent !== '') {
    throw new UsageError('--folds: expected no --from, a version may have seen what is held out');
  }
  const { foldDataset, openDataset } = await import('../dataset/index.js');
  const { findDoubts, formatCrossValidation, summariseFolds } = await import(
    '../evaluation/index.js'
  );
  const { completeSpec } = await import('../training/index.js');
  const spec = completeSpec(await readSpec({ ...asked, promote: false }), null);
  const { labels, inputSpec } = spec;
  const dataset = await openDataset(spec.dataPath, { channels: inputSpec.channels, labels });
  const parts = foldDataset(dataset, { folds, seed: spec.seed });
  if (out !== undefined) await claimOutFolder(out);
  const folder = await mkdtemp(join(tmpdir(), 'cytostream-folds-'));
  const evaluations: Evaluation[] = [];
  try {
    await withParts(
      {
        ...{ models: join(folder, 'models'), runs: join(folder, 'runs') },
        // Not among the rest, which is thrown away: each frame is decoded once, for all folds.
        framesOf: readConfig({ runsDir: runs }).runsDir,
      },
      async (opened) => {
        for (const [at, fold] of parts.entries()) {
          terminal.note(
            `fold ${at + 1} of ${folds}: ${fold.rest.length} frames to train and validate, ${fold.heldOut.length} held out`,
          );
          const about = { ...{ dataset, fold, json }, path: join(folder, `fold-${at + 1}`) };
          evaluations.push(await runFold(spec, about, opened, terminal));
        }
      },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const summary = summariseFolds(evaluations.map(({ report }) => report));
  const rows = evaluations.flatMap((evaluation) => evaluation.rows);
  const doubts = findDoubts(rows, dataset.labels.length).slice(0, doubtCount);
  if (out !== undefined) {
    const { writeCrossValidation } = await import('../reports/index.js');
    const title = `${spec.network}, ${folds} folds of ${basename(spec.dataPath)}`;
    await writeCrossValidation(resolve(out), summary, { title, rows, doubts });
  }
  if (json) terminal.print(JSON.stringify({ kind: 'crossValidated', ...summary, doubts }));
  else {
    terminal.print(formatCrossValidation(summary).trimEnd());
    if (out !== undefined) terminal.print(`\nthe report is in ${out}`);
  }
}

/** Trains on the rest of a fold and scores what came of it on what was held out. */
async function runFold(
  spec: RunSpec,
  {
    dataset,
    fold,
    path,
    json,
  }: {
    readonly dataset: Dataset;
    readonly fold: Fold;
    readonly path: string;
    readonly json: boolean;
  },
  { trainer, registry, classifier }: Parts,
  terminal: Terminal,
): Promise<Evaluation> {
  const { linkDataset, readFrame } = await import('../dataset/index.js');
  const { evaluateDataset } = await import('../evaluation/index.js');
  await linkDataset(path, dataset, fold.rest);
  const run = await trainer.start({ ...spec, dataPath: path });
  using interruption = terminal.interruption(() => {
    terminal.note('stopping after this step; press Ctrl-C again to leave at once');
    trainer.stop(run.id).catch((error: unknown) => terminal.note(String(error)));
  });
  const events = trainer.watch(run.id, 1, new AbortController().signal);
  const end = await followRun(events, { json }, terminal);
  if (interruption.received !== null) throw new Exit(interruptedExitCode.SIGINT);
  if (end === null || end.published === null) {
    throw new DomainError('internal', `a fold could not be trained: ${end?.reason ?? 'no end'}`);
  }
  const handle = await registry.acquire(`${end.published.model}@${end.published.version}`);
  try {
    const frames = fold.heldOut;
    const bar = { title: 'held-out frames', unit: 'frames', total: frames.length };
    return await withProgress(bar, terminal, (way) =>
      evaluateDataset<DatasetFrame, Handle>(
        { dataset, frames },
        { classifier, handle, readFrame: (frame) => readFrame(dataset, frame) },
        way,
      ),
    );
  } finally {
    handle.release();
  }
}
