import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { type Log, silentLog } from '../../src/log.js';
import { packageRoot } from '../../src/package-root.js';
import { startIoProcesses } from '../../src/server/io/io-processes.js';
import { createFakeClock } from '../fake-clock.js';
import { makeFolder } from '../make-folder.js';
import { smallConfig } from '../small-server.js';

/** `startIoProcesses` with processes whose starts go as these words say, in time that stands. */
async function prepare(t: ExecutionContext, words: string, count = 1) {
  const config = smallConfig(await makeFolder(t));
  await mkdir(config.runsDir);
  const clock = createFakeClock();
  const said: { readonly message: string; readonly fields: object }[] = [];
  const looks = new Set<() => void>();
  const hear = (fields: object, message: string) => {
    said.push({ message, fields });
    for (const look of looks) look();
  };
  const log: Log = { ...silentLog, info: hear, error: hear };
  /** Resolves with the fields of as many lines with this message. */
  const until = (message: string, lines: number) =>
    new Promise<readonly object[]>((resolve) => {
      const look = () => {
        const heard = said.filter((line) => line.message === message);
        if (heard.length < lines) return;
        looks.delete(look);
        resolve(heard.map(({ fields }) => fields));
      };
      looks.add(look);
      look();
    });

  /** Processes that live, and what there was of them. */
  const alive = new Set<Worker>();
  const seen = { starts: 0, atOnce: 0 };
  const onFork = (worker: Worker) => {
    alive.add(worker);
    seen.starts += 1;
    seen.atOnce = Math.max(seen.atOnce, alive.size);
  };
  const onExit = (worker: Worker) => alive.delete(worker);
  cluster.on('fork', onFork).on('exit', onExit);
  t.teardown(() => {
    cluster.off('fork', onFork).off('exit', onExit);
    for (const { process } of alive) process.kill('SIGKILL');
  });

  const start = () =>
    startIoProcesses(
      {
        count,
        config,
        target: words,
        serving: { server: true, classifier: true },
        entry: join(packageRoot, 'dist/test/server/scripted-io.js'),
      },
      { log, clock },
    );
  /** Moves time by a pause, and sees that so many processes start at its end and none before. */
  const passPause = async (ms: number, starts: number) => {
    const before = seen.starts;
    await turn(); // what was said of has been done
    clock.advance(ms - 1);
    await turn();
    t.is(seen.starts, before, `before ${ms} ms have passed`);
    clock.advance(1);
    await turn();
    t.is(seen.starts, before + starts, `after ${ms} ms`);
  };
  const killAll = () => {
    for (const { process } of alive) process.kill('SIGKILL');
  };
  /** Resolves when so many processes have read how they are to go. */
  const begun = async (starts: number) => {
    while (!existsSync(join(config.runsDir, String(starts - 1)))) await turn();
  };
  return { start, until, begun, clock, passPause, alive, seen, killAll };
}

/** Who answers on the port. */
async function answerer(port: number): Promise<number> {
  const [bytes] = await once(connect(port, '127.0.0.1'), 'data');
  return Number(bytes);
}

const serves = 'an I/O process serves';
const ended = 'an I/O process ended';
const failed = 'an I/O process could not be started';

test.serial(
  'of processes that die while they start there are never more than wanted',
  async (t) => {
    const { start, until, passPause, killAll, alive, seen } = await prepare(
      t,
      'serves serves dies dies dies',
      2,
    );
    const io = await start();
    killAll();
    await until(ended, 2);
    await passPause(500, 2);
    await until(failed, 2);
    await passPause(1000, 2);
    await Promise.all([until(failed, 3), until(serves, 3)]);
    await passPause(2000, 1);
    const lines = await until(serves, 4);
    t.deepEqual(seen, { starts: 7, atOnce: 2 });

    // Both serve.
    const { port } = lines.at(-1) as { port: number };
    const pids = new Set(await Promise.all(Array.from({ length: 20 }, () => answerer(port))));
    t.deepEqual(pids, new Set([...alive].map(({ process }) => process.pid)));
    t.is(pids.size, 2);
    await io.drain(0);
    t.is(alive.size, 0);
  },
);

test.serial(
  'the pause doubles with each start that fails, and is short again after one that serves',
  async (t) => {
    const { start, until, passPause, killAll } = await prepare(t, `serves${' dies'.repeat(8)}`);
    const io = await start();
    killAll();
    await until(ended, 1);
    const pauses = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
    for (const [at, ms] of pauses.entries()) {
      await passPause(ms, 1);
      await until(failed, at + 1);
    }
    await passPause(30_000, 1);
    await until(serves, 2);
    killAll();
    await until(ended, 2);
    await passPause(500, 1);
    await until(serves, 3);
    await io.drain(0);
  },
);

test.serial(
  'a process that hangs while it starts is killed after two minutes and replaced',
  async (t) => {
    const { start, until, begun, clock, passPause, killAll, alive, seen } = await prepare(
      t,
      'serves hangs',
    );
    const io = await start();
    killAll();
    await until(ended, 1);
    await passPause(500, 1);
    await begun(2);
    await passPause(120_000, 0);
    const [line] = await until(failed, 1);
    t.regex(String((line as { error: Error }).error), /did not serve within 120000 ms/);
    t.is(alive.size, 0);
    await passPause(1000, 1);
    await until(serves, 2);
    clock.advance(120_000);
    t.is(alive.size, 1, 'one that serves has all the time');
    t.is(seen.atOnce, 1);
    await io.drain(0);
  },
);

test.serial('a machine that refuses another process is asked again', async (t) => {
  const { start, until, passPause, killAll } = await prepare(t, 'serves');
  const io = await start();
  killAll();
  await until(ended, 1);
  cluster.setupPrimary({ cwd: join(packageRoot, 'no such folder') });
  await passPause(500, 1);
  await until(failed, 1);
  cluster.setupPrimary({ cwd: packageRoot });
  await passPause(1000, 1);
  await until(serves, 2);
  await io.drain(0);
});

test.serial('what keeps one from its first start is thrown, and none is left', async (t) => {
  const { start, clock, alive, seen } = await prepare(t, 'serves refuses', 2);
  await t.throwsAsync(start(), { code: 'option_invalid', message: 'port: in use' });
  while (alive.size > 0) await once(cluster, 'exit');
  clock.advance(120_000);
  await turn();
  t.is(seen.starts, 2, 'and none is started again');
});

test.serial('a first start that hangs is given up', async (t) => {
  const { start, begun, clock, alive, seen } = await prepare(t, 'hangs');
  const starting = start();
  await begun(1);
  clock.advance(120_000);
  await t.throwsAsync(starting, { message: /did not serve/ });
  t.is(alive.size, 0);
  clock.advance(120_000);
  await turn();
  t.is(seen.starts, 1);
});
