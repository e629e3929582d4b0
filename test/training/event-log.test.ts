import { execFile } from 'node:child_process';
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { createEventLog, readEvents } from '../../src/training/event-log.js';
import { makeFolder } from '../make-folder.js';
import { endedEvent, stepEvent } from './run-fixtures.js';

test('a line that another process has only half written is not read', async (t) => {
  const path = join(await makeFolder(t), 'events.jsonl');
  const log = await createEventLog(path, 'run');
  await log.append(stepEvent(1));
  await log.append(endedEvent);
  await log.close();
  await appendFile(path, '{"kind":"step","num');
  t.deepEqual(await readEvents(path), log.events.slice());
});

test('a watcher sees an event only when it is on disk', async (t) => {
  const path = join(await makeFolder(t), 'events.jsonl');
  const log = await createEventLog(path, 'run');
  t.teardown(() => log.close());
  const appended = log.append(stepEvent(1));
  t.is(log.events.length, 0);
  await log.next(0, new AbortController().signal);
  t.is((await readFile(path, 'utf8')).split('\n').length, 2);
  await appended;
});

test('a full disk tears no line: watchers here see all, the file holds whole events', async (t) => {
  if (process.platform === 'win32') {
    t.log('SKIPPED: this system has no ulimit');
    t.pass();
    return;
  }
  const folder = await makeFolder(t);
  const entry = join(import.meta.dirname, 'limited-process.js');
  // 8 blocks of 512 or 1024 bytes: room for the spec and some events.
  const limited = 'ulimit -f 8 && exec "$0" "$1" "$2"';
  const { stdout } = await promisify(execFile)('sh', [
    '-c',
    limited,
    process.execPath,
    entry,
    folder,
  ]);
  const { failure, numbers, state } = JSON.parse(stdout);
  t.is(
    failure,
    'cannot write the events of run "limited": the file would exceed the size limit of the process (EFBIG)',
  );
  t.is(state, 'finished');
  t.deepEqual(
    numbers,
    numbers.map((_: number, index: number) => index + 1),
  );
  const kept = await readEvents(join(folder, 'limited', 'events.jsonl'));
  // The step that did not fit and the end after it are missing on disk, nothing else.
  t.true(kept.length >= 5);
  t.is(kept.length, numbers.length - 2);
});
