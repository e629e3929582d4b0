import { nativeTensorflow, skipNative } from './native-tensorflow.js';
import { testTraining } from './tensorflow-training.js';

if (nativeTensorflow === null) skipNative('tensorflow/cpu: training in the native library');
else testTraining('tensorflow/cpu', nativeTensorflow);
