import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { packageRoot } from '../../src/package-root.js';

/** Where CI has `scripts/tensorflow-native.sh` build. */
const built = join(
  packageRoot,
  'node_modules/.cache/tensorflow-native/node_modules/@tensorflow/tfjs-node',
);

/**
 * The folder of a `tfjs-node` whose native library is there, as `scripts/tensorflow-native.sh`
 * makes one: `CYTOSTREAM_TENSORFLOW_PACKAGE`, or where CI builds it. null where there is none;
 * tests then say so and skip.
 */
export const nativeTensorflow: string | null =
  process.env['CYTOSTREAM_TENSORFLOW_PACKAGE'] ||
  (existsSync(join(built, 'lib/napi-v8/tfjs_binding.node')) ? built : null);

/** Stands in for the native tests of a file where there is no native library: loud, and passing. */
export function skipNative(title: string): void {
  test(title, (t) => {
    const line = `SKIPPED "${t.title}": no native TensorFlow; scripts/tensorflow-native.sh node_modules/.cache/tensorflow-native builds it`;
    console.warn(line);
    t.log(line);
    t.pass();
  });
}
