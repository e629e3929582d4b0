import { open } from 'node:fs/promises';

/** Makes a new name in a folder survive a power cut; systems that cannot flush a folder need not. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => null);
  try {
    await folder?.sync().catch(() => {});
  } finally {
    await folder?.close();
  }
}
