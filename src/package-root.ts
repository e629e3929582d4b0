import { fileURLToPath } from 'node:url';

/** The package's own folder, seen from `dist/src/`: where `proto/` lies. */
export const packageRoot: string = fileURLToPath(new URL('../../', import.meta.url));
