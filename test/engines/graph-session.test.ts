import test from 'ava';
import { openGraphSession } from '../../src/engines/graph-session.js';
import type { WorkerLink } from '../../src/engines/worker-link.js';
import { DomainError } from '../../src/errors.js';

test('what of a graph runs beside its device is told at each load of it', async (t) => {
  const linkOf = (note: string): WorkerLink => ({
    ended: new Promise(() => {}),
    abandon: () => 0,
    async ask({ kind }) {
      if (kind === 'runGraph') return { id: 1, kind: 'graphRan', outputs: {}, runMs: 1 };
      return { id: 1, kind: 'done', ...(note !== '' && { note }) };
    },
  });
  const notes: string[] = [];
  let link = linkOf('parts of it run on cpu');
  const session = await openGraphSession(
    { graph: { model: new Uint8Array(), files: {} }, sessionId: 1 },
    async () => link,
    (note) => notes.push(note),
  );
  await session.run({});
  t.deepEqual(notes, ['parts of it run on cpu'], 'not at each run');
  link = linkOf('');
  await session.run({});
  link = linkOf('parts of it run on cuda');
  await session.run({});
  t.deepEqual(notes, ['parts of it run on cpu', 'parts of it run on cuda']);
});

test('a graph that a worker refused once is loaded by the next run', async (t) => {
  let isRefused = false;
  let loads = 0;
  const openLink = (): WorkerLink => ({
    ended: new Promise(() => {}),
    abandon: () => 0,
    async ask({ kind }) {
      if (kind === 'runGraph') return { id: 1, kind: 'graphRan', outputs: {}, runMs: 1 };
      loads += 1;
      if (isRefused) throw new DomainError('model_failed', 'out of memory');
      return { id: 1, kind: 'done' };
    },
  });
  let link = openLink();
  const session = await openGraphSession(
    { graph: { model: new Uint8Array(), files: {} }, sessionId: 1 },
    async () => link,
    () => {},
  );
  link = openLink(); // the engine has restarted
  isRefused = true;
  await t.throwsAsync(session.run({}), { message: 'out of memory' });
  isRefused = false;
  await session.run({});
  await session.run({});
  t.is(loads, 3);
});
