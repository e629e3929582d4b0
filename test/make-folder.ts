import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

/** A folder of its own that goes when the test does, or whoever else takes teardowns. */
export async function makeFolder(t: Pick<ExecutionContext, 'teardown'>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cytostream-test-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
