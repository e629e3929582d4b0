import test from 'ava';
import { nativeTensorflow } from './native-tensorflow.js';
import { testTraining } from './tensorflow-training.js';

if (nativeTensorflow === null) {
  test.skip('tensorflow/cpu: no CYTOSTREAM_TENSORFLOW_PACKAGE, see scripts/tensorflow-native.sh', () => {});
} else testTraining('tensorflow/cpu', nativeTensorflow);
