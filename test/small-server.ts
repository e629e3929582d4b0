import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { parseConfig } from '../src/config.js';
import { createFakeEngine, type Engine, fakeProbabilities } from '../src/engines/index.js';
import type { InputSpec } from '../src/frames/index.js';
import { createGoldenFrame, openModelStore, type VersionDraft } from '../src/models/index.js';
import { startServer } from '../src/server.js';
import { silentLog } from '../src/telemetry/index.js';

export const smallLabels = ['Nucleoplasm', 'Cytosol', 'Mitochondria'];
export const smallInput: InputSpec = {
  channels: ['microtubules', 'protein', 'nucleus', 'endoplasmic_reticulum'],
  widthPx: 8,
  heightPx: 8,
  resize: 'bilinear',
};
/** Bytes of one frame of `smallInput`. */
export const smallRowBytes = 4 * 8 * 8;

/** Pixels of so many rows, each its own; the same for the same seed. */
export function smallRows(rowCount: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: rowCount * smallRowBytes }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

/** A version that the fake engine serves. */
export function fakeDraft(name: string, labels: readonly string[] = smallLabels): VersionDraft {
  const frame = createGoldenFrame(smallInput);
  return {
    name,
    model: new Uint8Array([1, 2, 3]),
    labels,
    inputSpec: smallInput,
    thresholds: labels.map(() => 0.5),
    thresholdsSource: 'default 0.5',
    scores: null,
    runId: null,
    datasetFingerprint: null,
    parent: null,
    golden: { frame, output: fakeProbabilities(frame, labels.length) },
  };
}

export interface SmallServerOptions {
  /** @default the fake one */
  readonly engine?: Engine;
  /** Published in this order; the first version of each name is live. @default one "cells" for the fake engine */
  readonly drafts?: readonly VersionDraft[];
  readonly port?: number;
  readonly config?: Readonly<Record<string, unknown>>;
}

/** A whole server on free ports, closed when the test ends, or whoever else takes teardowns. */
export async function startSmallServer(
  t: Pick<ExecutionContext, 'teardown'>,
  {
    engine = createFakeEngine(),
    drafts = [fakeDraft('cells')],
    port = 0,
    config = {},
  }: SmallServerOptions = {},
) {
  const folder = await mkdtemp(join(tmpdir(), 'cytostream-small-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const parsed = parseConfig(
    {
      modelsDir: join(folder, 'models'),
      runsDir: join(folder, 'runs'),
      dataRoots: [folder],
      host: '127.0.0.1',
      httpHost: '127.0.0.1',
      port,
      httpPort: 0,
      batchSizes: [1, 4],
      prepareThreads: 1,
      ...config,
    },
    {},
  );
  if ('faults' in parsed) throw new Error(parsed.faults.join('; '));
  const store = await openModelStore(parsed.value.modelsDir);
  for (const draft of drafts) {
    const { name, version } = await store.publish(draft);
    if (version === 1) await store.setAlias(name, 'live', version);
  }
  const server = await startServer(parsed.value, { engine, log: silentLog });
  t.teardown(() => server.close());
  return { server, address: `127.0.0.1:${server.port}` };
}
