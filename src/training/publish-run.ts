import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DomainError } from '../errors.js';
import {
  type ModelStore,
  parseSeenFrames,
  readSeenFrames,
  type SeenFrames,
  withParentsFrames,
} from '../models/index.js';
import { type ExportedModel, exportFiles } from './process/messages.js';
import type { EpochScores, RunSpec } from './run.js';

/** Where versions go: as much of a ModelStore as a run needs. */
export type VersionStore = Pick<
  ModelStore,
  'publish' | 'aliases' | 'setAlias' | 'changeAliases' | 'read' | 'readFile'
>;

/** Makes a version live. */
export type Promote = (name: string, version: number) => Promise<unknown>;

/**
 * Promotes by the aliases alone: what was live becomes `previous`. A Registry on the same
 * folder then notices, checks the version and serves it.
 */
export function promoteIn(store: VersionStore): Promote {
  return (name, version) =>
    store.changeAliases(name, ({ candidate: _, live, previous }) => {
      const before = live ?? previous;
      return { live: version, ...(before === undefined ? {} : { previous: before }) };
    });
}

/** So many epochs go with a version, some 400 bytes each; a longer history stays with its run. */
const carriedEpochs = 1000;

/** A run whose model is to be published. */
export interface PublishableRun {
  readonly runId: string;
  readonly folder: string;
  /** Says the name of the model, the version it began with and whether the new one becomes live; the first of a name always does. */
  readonly spec: RunSpec;
  readonly history: readonly EpochScores[];
  readonly exported: ExportedModel;
}

/**
 * Publishes what a run has exported as the next version and calls it the candidate; the
 * first of a name is live, whatever the spec says. The exported files are removed: the
 * version has them. A promotion that a gate refuses leaves a candidate, and is told.
 * Throws what the store throws; the exported files then stay.
 */
export async function publishRun(
  run: PublishableRun,
  { store, promote }: { readonly store: VersionStore; readonly promote: Promote },
): Promise<{ readonly version: number; readonly refusal: string | null }> {
  const { folder, spec, history, exported } = run;
  const { model: name, labels, inputSpec } = spec;
  const live = (await store.aliases(name)).live ?? null;
  const { version } = await store.publish({
    name,
    model: await readFile(join(folder, exportFiles.model)),
    labels,
    inputSpec,
    thresholds: exported.thresholds,
    thresholdsSource: exported.thresholdsSource,
    calibration: exported.calibration,
    seen: await seenBy(run, store),
    scores: exported.scores,
    runId: run.runId,
    training: {
      spec: { ...spec },
      history: history.length > carriedEpochs ? [] : history.map((scores) => ({ ...scores })),
    },
    datasetFingerprint: exported.datasetFingerprint,
    parent: spec.parent || null,
    drift: exported.drift,
    explanation: {
      model: await readFile(join(folder, exportFiles.explain)),
      spec: exported.explanation,
    },
    golden: {
      frame: await readFile(join(folder, exportFiles.golden)),
      output: exported.goldenOutput,
    },
  });
  await store.setAlias(name, 'candidate', version);
  const refusal =
    spec.promote || live === null ? await promoted(() => promote(name, version)) : null;
  await rm(join(folder, dirname(exportFiles.model)), { recursive: true, force: true });
  return { version, refusal };
}

/** The frames that a run has met, and those of the version that it began with. */
async function seenBy(
  { runId, folder, spec: { parent } }: PublishableRun,
  store: VersionStore,
): Promise<SeenFrames> {
  const text = await readFile(join(folder, exportFiles.frames), 'utf8');
  const own = parseSeenFrames(text, `run ${runId}`);
  if (parent === '') return own;
  return withParentsFrames(own, await readSeenFrames(await store.read(parent), store));
}

/** null, or why a gate refused. */
async function promoted(promote: () => Promise<unknown>): Promise<string | null> {
  try {
    await promote();
    return null;
  } catch (thrown) {
    const { code, message } = DomainError.from(thrown);
    if (code !== 'gate_refused') throw thrown;
    return message;
  }
}
