import test from 'ava';
import { openGraphSession } from '../../src/engines/graph-session.js';
import type { WorkerLink } from '../../src/engines/worker-link.js';

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
