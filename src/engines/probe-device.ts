import { InferenceSession, Tensor } from 'onnxruntime-node';
import { DomainError } from '../errors.js';
import { checkDevice, remedyOf } from './device-checks.js';
import { type DeviceName, setDeviceEnvironment } from './devices.js';
import { createMachine, type Machine } from './machine.js';
import { placesOf } from './places.js';
import { buildProbeModel, probeError, probePixels, probeTolerance } from './probe-model.js';
import { toSentence } from './to-sentence.js';

/**
 * Runs a few numbers on a device, in this thread and without the CPU's help. Throws
 * `model_failed` with what is wrong with it, in the runtime's own words.
 */
export async function probeDevice(device: DeviceName): Promise<void> {
  const refuse = (cause: unknown): never => {
    throw new DomainError('model_failed', toSentence(cause), { cause });
  };
  const place = placesOf(device).findLast(({ isStrict }) => isStrict);
  if (!place) return;
  const { config, ...options } = place.options;
  const session = await InferenceSession.create(buildProbeModel(), {
    ...options,
    intraOpNumThreads: 1,
    extra: { session: config },
  }).catch(refuse);
  const pixels = new Tensor('uint8', probePixels, [1, probePixels.length]);
  const answer = await session
    .run({ pixels })
    .catch(refuse)
    .finally(() => session.release());
  const error = probeError(answer['probabilities']?.data as Float32Array); // as the graph says
  if (error <= probeTolerance) return;
  throw new DomainError('model_failed', `it computes wrongly: a sigmoid is off by ${error}`);
}

/**
 * Whether ONNX Runtime starts on a device in this process. Throws `unsupported` with the
 * reason and what to install.
 */
export async function assertStarts(
  device: DeviceName,
  machine: Machine = createMachine(),
): Promise<void> {
  if (device === 'cpu') return;
  const { obstacle, found } = await checkDevice(device, machine, { isNamed: true });
  if (obstacle !== null) throw new DomainError('unsupported', obstacle);
  setDeviceEnvironment(device);
  await probeDevice(device).catch((cause: unknown) => {
    const reason = DomainError.from(cause).message;
    const there = found === '' ? '' : ` (${found})`;
    const message = `onnxruntime did not start on it: ${reason}; ${remedyOf(device)}${there}`;
    throw new DomainError('unsupported', message, { cause });
  });
}
