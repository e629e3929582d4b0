import { join } from 'node:path';
import { connect } from '../../../src/client/index.js';
import { DomainError } from '../../../src/errors.js';
import { hpaLabels } from '../../../src/label-set.js';
import { writeSimulatedDataset } from '../../../src/simulator/index.js';
import { learnKnownFrames } from '../../soak/known-frames.js';
import { inputSpecOf, untrainedModel } from '../../soak/models.js';
import type { Scenario } from '../scenario.js';
import { mountSmallDisk } from '../small-disk.js';
import { badEnds, startSteadyLoad } from '../steady-load.js';
import { skippedResult, withServer } from '../with-server.js';

const scenario = {
  name: 'full disk',
  what: 'the disk has room for 12 MiB: a training cannot write its checkpoint, an import its model; 4 streams go on',
};

const diskMib = 12;
/** Where no disk can be had: the largest file. */
const fileSizeKib = 2048;

const sizePx = 40;
/** Of a model that takes 20 MiB. */
const largePx = 128;

export const fullDisk: Scenario = {
  ...scenario,
  run: async (context) => {
    if (process.platform === 'win32') return skippedResult(scenario, 'this system has no ulimit');
    const disk = await mountSmallDisk(join(context.folder, 'disk'), diskMib);
    // A limit on file sizes needs no rights to set, and fails nearly as a full disk does.
    if (disk === null) {
      console.warn('full disk: nobody here may mount one; a limit on file sizes takes its place');
    }
    const way = disk
      ? { disk: `a tmpfs of ${diskMib} MiB`, code: 'ENOSPC' }
      : { disk: `none: files of at most ${fileSizeKib} KiB`, code: 'EFBIG' };
    const place = disk ? { ...context, folder: disk.path } : context;
    const dataPath = join(context.folder, 'cells');
    await writeSimulatedDataset(dataPath, { frameCount: 8, sizePx: 64, seed: 1 });
    return withServer(
      scenario,
      place,
      {
        engine: { kind: 'serve' },
        sizePx,
        config: { batchSizes: '1,2,4', dataRoots: context.folder },
        ...(disk ? {} : { fileSizeKib }),
        expectedErrors: /storage_failed|file system refused|EFBIG|ENOSPC|cannot (be )?writ/,
      },
      async ({ server, tally }) => {
        const { port } = server;
        const client = connect(`127.0.0.1:${port}`);
        const frames = await learnKnownFrames(client, { sizePx, contents: 32, versions: [1] });
        // Without a pause between frames the training would hardly get to its steps.
        const load = startSteadyLoad({ port, streams: 4, everyMs: 50, frames, tally });
        await load.answered(50);
        const faults: string[] = [];
        let reason = '';
        const spec = { dataPath, model: 'other', epochs: 2, batchSize: 2 };
        for await (const event of client.train(spec, { runId: 'on-a-full-disk' })) {
          if (event.kind === 'ended') reason = `${event.state}: ${event.reason}`;
        }
        if (!new RegExp(`^failed: .*${way.code}`).test(reason))
          faults.push(`the run ended "${reason}"`);
        const [run] = await client.listRuns();
        if (run?.state !== 'failed') faults.push(`the run is listed as ${run?.state}`);
        const refused = await client
          .importModel({
            name: 'large',
            onnx: untrainedModel(largePx, 9),
            labels: hpaLabels,
            inputSpec: inputSpecOf(largePx),
          })
          .then(
            () => 'taken',
            (thrown: unknown) => DomainError.from(thrown).code,
          );
        if (refused !== 'storage_failed') faults.push(`the import was ${refused}`);
        const { length } = await client.listModels();
        if (length !== 1) faults.push(`expected 1 model, ${length} are listed`);
        await load.answered(50);
        client.close();
        faults.push(...badEnds(await load.end()));
        return { facts: { disk: way.disk, runEnded: reason, importRefusedAs: refused }, faults };
      },
    ).finally(() => disk?.unmount());
  },
};
