import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, connect } from '../../../src/client/index.js';
import { writeSimulatedDataset } from '../../../src/simulator/index.js';
import { learnKnownFrames } from '../../soak/known-frames.js';
import { launchServe } from '../../soak/launch.js';
import type { Scenario } from '../scenario.js';
import { badEnds, startSteadyLoad } from '../steady-load.js';
import { withServer } from '../with-server.js';

const scenario = {
  name: 'killed trainers',
  what: 'the process of a run is killed while it trains and 4 streams run, then the whole server of another; in full the next server resumes the first',
};

const sizePx = 40;

export const killedTrainer: Scenario = {
  ...scenario,
  run: (context) =>
    withServer(
      scenario,
      context,
      { engine: { kind: 'serve' }, sizePx, config: { batchSizes: '1,2,4' } },
      async ({ server, tally, modelsDir, runsDir }) => {
        const dataPath = join(context.folder, 'cells');
        await writeSimulatedDataset(dataPath, { frameCount: 8, sizePx: 64, seed: 1 });
        const { port } = server;
        const client = connect(`127.0.0.1:${port}`);
        const frames = await learnKnownFrames(client, { sizePx, contents: 32, versions: [1] });
        // Without a pause between frames the training would hardly get to its steps.
        const load = startSteadyLoad({ port, streams: 4, everyMs: 50, frames, tally });
        await load.answered(50);
        const faults: string[] = [];
        const spec = {
          ...{ dataPath, model: 'other', network: 'resnet-small' },
          ...{ epochs: 10_000, patience: 10_000, batchSize: 2 },
        };
        const reason = await trainUntilKilled(client, { runId: 'killed', spec, at: 'epoch' }, () =>
          process.kill(trainerOf(server.pid), 'SIGKILL'),
        );
        if (!/^failed: .*SIGKILL/.test(reason)) faults.push(`the run ended "${reason}"`);
        await load.answered(50);
        client.close();

        // Another server on the same folder of runs, which is killed with its trainer.
        const config = { modelsDir, runsDir, dataRoots: context.folder, batchSizes: '1' };
        const doomed = await launchServe({ config });
        const its = connect(`127.0.0.1:${doomed.port}`);
        let trainer = 0;
        await trainUntilKilled(its, { runId: 'orphaned', spec, at: 'step' }, () => {
          trainer = trainerOf(doomed.pid);
          void doomed.stop('SIGKILL');
        }).catch(() => 'cut');
        its.close();
        const next = await launchServe({ config });
        const after = connect(`127.0.0.1:${next.port}`);
        await gone(trainer);
        const listed = await after.listRuns();
        const states = Object.fromEntries(listed.map(({ id, state }) => [id, state]));
        for (const id of ['killed', 'orphaned']) {
          if (states[id] !== 'failed') faults.push(`"${id}" is listed as ${states[id]}`);
        }
        // What becomes of a resumed run is tested elsewhere, to the bit.
        const resumed = context.isShort ? 'not asked' : await resumeForOneEpoch(after, 'killed');
        if (!context.isShort && resumed !== 'stopped') {
          faults.push(`"killed", resumed, ended as ${resumed}`);
        }
        after.close();
        const end = await next.stop();
        if (end.exitCode !== 0) faults.push(`the next server ended with ${end.exitCode}`);
        faults.push(...badEnds(await load.end()));
        return {
          facts: { runEnded: reason, orphanedRunIs: states['orphaned'] ?? 'not listed', resumed },
          faults,
        };
      },
    ),
};

/** Starts a run, kills after its first step or epoch, and tells how it ended. */
async function trainUntilKilled(
  client: Client,
  {
    runId,
    spec,
    at,
  }: {
    readonly runId: string;
    readonly spec: Parameters<Client['train']>[0];
    readonly at: 'step' | 'epoch';
  },
  kill: () => void,
): Promise<string> {
  let isKilled = false;
  for await (const event of client.train(spec, { runId })) {
    if (event.kind === at && !isKilled) {
      isKilled = true;
      kill();
    }
    if (event.kind === 'ended') return `${event.state}: ${event.reason}`;
  }
  return 'without an end';
}

/** Goes on with a run, stops it after an epoch, and tells the state in which it ended. */
async function resumeForOneEpoch(client: Client, runId: string): Promise<string> {
  let isStopped = false;
  for await (const event of client.resumeRun(runId)) {
    if (event.kind === 'epoch' && !isStopped) {
      isStopped = true;
      await client.stopRun(runId);
    }
    if (event.kind === 'ended') return event.state;
  }
  return 'without an end';
}

/** The child process that trains. */
function trainerOf(serverPid: number): number {
  const found = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(
      ([, parent, ...words]) => Number(parent) === serverPid && /process/.test(words.join(' ')),
    );
  if (found === undefined) throw new Error('the server has no trainer process');
  return Number(found[0]);
}

/** Resolves when the process of a killed server has noticed and ended too. */
async function gone(pid: number): Promise<void> {
  const isThere = () => {
    try {
      // One that has ended and that nobody has asked about yet is gone as well.
      return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
      return false;
    }
  };
  while (isThere()) await new Promise((resolve) => setTimeout(resolve, 50));
}
