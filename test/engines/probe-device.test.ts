import test from 'ava';
import { InferenceSession } from 'onnxruntime-node';
import { probeDevice } from '../../src/engines/probe-device.js';

test('a device that starts and fails its first run is left with nothing of the probe on it', async (t) => {
  const { create } = InferenceSession;
  t.teardown(() => {
    InferenceSession.create = create;
  });
  let released = 0;
  const session: Partial<InferenceSession> = {
    run: () => Promise.reject(new Error('no kernel image is available')),
    async release() {
      released += 1;
    },
  };
  InferenceSession.create = () => Promise.resolve(session as InferenceSession);
  await t.throwsAsync(probeDevice('cpu'), { code: 'model_failed', message: /no kernel image/ });
  t.is(released, 1);
});
