import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { type Config, type ConfigInput, parseConfig } from '../src/config.js';
import { createFakeEngine, type Engine, fakeProbabilities } from '../src/engines/index.js';
import { silentLog } from '../src/log.js';
import { createGoldenFrame, openModelStore, type VersionDraft } from '../src/models/index.js';
import { startServer } from '../src/server.js';
import { makeFolder } from './make-folder.js';
import { smallInput, smallLabels } from './small-frames.js';

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

/** Settings of a server with all it keeps in `folder`, on free ports and few threads. */
export function smallConfig(folder: string, more: ConfigInput = {}): Config {
  const parsed = parseConfig(
    {
      modelsDir: join(folder, 'models'),
      runsDir: join(folder, 'runs'),
      dataRoots: [folder],
      host: '127.0.0.1',
      httpHost: '127.0.0.1',
      port: 0,
      httpPort: 0,
      batchSizes: [1, 4],
      prepareThreads: 1,
      ...more,
    },
    {},
  );
  if ('faults' in parsed) throw new Error(parsed.faults.join('; '));
  return parsed.value;
}

export interface SmallServerOptions {
  /** @default the fake one */
  readonly engine?: Engine;
  /** Published in this order; the first version of each name is live. @default one "cells" for the fake engine */
  readonly drafts?: readonly VersionDraft[];
  readonly port?: number;
  readonly config?: ConfigInput;
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
  const folder = await makeFolder(t);
  const settings = smallConfig(folder, { port, ...config });
  const store = await openModelStore(settings.modelsDir);
  for (const draft of drafts) {
    const { name, version } = await store.publish(draft);
    if (version === 1) await store.setAlias(name, 'live', version);
  }
  const server = await startServer(settings, { engine, log: silentLog });
  t.teardown(() => server.close());
  return { server, address: `127.0.0.1:${server.port}` };
}
