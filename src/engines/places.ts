import type { InferenceSession } from 'onnxruntime-node';
import { DomainError } from '../errors.js';
import { type DeviceName, devices } from './devices.js';

/** Where a graph may come to lie: on a device alone, with its helpers, or with the CPU beside. */
export interface Place {
  /** "cuda", "tensorrt+cuda", "cuda+cpu". */
  readonly name: string;
  /** Whether the runtime refuses a graph of which a part would go to the CPU instead. */
  readonly isStrict: boolean;
  /** Of a session there. */
  readonly options: Required<
    Pick<InferenceSession.SessionOptions, 'executionProviders' | 'logSeverityLevel'>
  > & { readonly config: Readonly<Record<string, string>> };
}

/** The places of a device, the one to be wished for first; the CPU has one. */
export function placesOf(device: DeviceName): readonly Place[] {
  const { helpers } = devices[device];
  const places = [placeOn([device], true)];
  if (helpers.length > 0) places.push(placeOn([device, ...helpers], true));
  if (device !== 'cpu') places.push(placeOn([device, ...helpers], false));
  return places;
}

function placeOn(names: readonly [DeviceName, ...DeviceName[]], isStrict: boolean): Place {
  const [first] = names;
  const isOnDevice = first !== 'cpu';
  const noFallback = isOnDevice && isStrict ? { disable_cpu_ep_fallback: '1' } : {};
  return {
    name: [...names, ...(isStrict ? [] : ['cpu'])].join('+'),
    isStrict,
    options: {
      executionProviders: names.map((name) => devices[name].provider),
      // What the runtime would say of parts that go elsewhere is told by us, once.
      logSeverityLevel: isOnDevice && isStrict ? 4 : 3,
      config: { ...noFallback, ...devices[first].sessionConfig },
    },
  };
}

/** What was opened, and where it came to lie. */
export interface Placed<Opened> {
  readonly opened: Opened;
  /** `Place.name`. */
  readonly place: string;
  /** What does not run where it should, for an operator; empty when all of it does. */
  readonly note: string;
}

/**
 * Opens a graph at the first place of a device that takes it: never with a part elsewhere
 * in silence. Throws what the last place threw.
 */
export async function openAtPlace<Opened>(
  device: DeviceName,
  open: (options: Place['options']) => Promise<Opened>,
): Promise<Placed<Opened>> {
  let refusal: unknown;
  for (const { name, options } of placesOf(device)) {
    try {
      const opened = await open(options);
      const others = name.slice(device.length + 1).replaceAll('+', ' and ');
      return { opened, place: name, note: others && `parts of it run on ${others}` };
    } catch (thrown) {
      refusal = thrown;
    }
  }
  throw refusal ?? new DomainError('internal', `bug: ${device} has no place`);
}
