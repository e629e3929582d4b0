import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/package-root.js';

const folder = process.env['CYTOSTREAM_SHARED_DATA'] ?? join(packageRoot, '../shared/data');

/** The folder of real frames, or null where it is absent: tests then skip loudly. */
export const sharedData: string | null = existsSync(folder) ? folder : null;
