/**
 * The folder of a `tfjs-node` whose native library is there, as `scripts/tensorflow-native.sh`
 * makes one: `CYTOSTREAM_TENSORFLOW_PACKAGE`. null where there is none; tests then say so and skip.
 */
export const nativeTensorflow: string | null = process.env['CYTOSTREAM_TENSORFLOW_PACKAGE'] || null;
