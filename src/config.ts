import { isAbsolute, resolve } from 'node:path';
import { z } from 'zod';

const MiB = 1024 * 1024;

/** A folder, made absolute against the working folder. */
const folder = z
  .string()
  .min(1)
  .transform((path) => (isAbsolute(path) ? path : resolve(path)));
const whole = (minimum: number, maximum: number) =>
  z.coerce.number().int().min(minimum).max(maximum);
const list = <T extends z.ZodType>(item: T) =>
  z.preprocess(
    (value) => (typeof value === 'string' ? value.split(',').filter((part) => part !== '') : value),
    z.array(item),
  );

/** `name=number` pairs, separated by commas, or a record of them. */
const numbersByName = (minimum: number, maximum: number) =>
  z.preprocess(
    (value) =>
      typeof value === 'string'
        ? Object.fromEntries(
            value
              .split(',')
              .filter((part) => part !== '')
              .map((part) => part.split('=', 2)),
          )
        : value,
    z.record(z.string().min(1), z.coerce.number().min(minimum).max(maximum)),
  );

/** One entry a field: its bounds, its default, and what it bounds or does. */
const schema = z.strictObject({
  modelsDir: folder
    .default(() => resolve('models'))
    .describe('folder of the models; made if it does not exist'),
  runsDir: folder.default(() => resolve('runs')).describe('folder of the training runs'),
  dataRoots: list(folder)
    .default(() => [resolve('.')])
    .describe('folders below which datasets may lie; a path outside is refused'),

  host: z.string().min(1).default('0.0.0.0').describe('address the gRPC port listens on'),
  port: whole(0, 65535).default(50051).describe('gRPC port; 0 takes a free one'),
  httpHost: z.string().min(1).default('0.0.0.0').describe('address the HTTP port listens on'),
  httpPort: whole(0, 65535)
    .default(9464)
    .describe('HTTP port of /metrics, /healthz and /readyz; 0 takes a free one'),
  tlsCert: z
    .string()
    .default('')
    .describe('file of the server certificate, PEM; with tlsKey it turns TLS on'),
  tlsKey: z.string().default('').describe('file of the private key, PEM'),

  maxMessageBytes: whole(1024, 2 ** 31 - 1)
    .default(64 * MiB)
    .describe('largest message in and out; a larger one ends its call with RESOURCE_EXHAUSTED'),
  windowBytes: whole(65535, 2 ** 30)
    .default(MiB)
    .describe('HTTP/2 flow-control window of a stream; small windows cost throughput'),
  maxConcurrentStreams: whole(1, 1_000_000)
    .default(1000)
    .describe('calls open at once on one connection; the next waits at the client'),
  keepaliveMs: whole(1000, 2 ** 31 - 1)
    .default(20_000)
    .describe('silence on a connection after which the client is pinged'),
  keepaliveTimeoutMs: whole(1000, 2 ** 31 - 1)
    .default(20_000)
    .describe('wait for the ping before a vanished client is dropped'),
  maxInFlight: whole(1, 4096)
    .default(64)
    .describe('frames of one stream without an answer; then its overflow policy acts'),
  maxCalls: whole(1, 1_000_000)
    .default(10_000)
    .describe('calls open at once on the whole server; the next is refused as overloaded'),
  graceMs: whole(0, 3_600_000)
    .default(30_000)
    .describe(
      'within what time a shutdown ends, calls and a training included; what is open near its end is cut',
    ),

  batchSizes: list(whole(1, 1024))
    .default(() => [1, 2, 4, 8, 16, 32])
    .describe('batch sizes that are run and warmed; a batch is padded up to the next'),
  maxBatchDelayMs: z.coerce
    .number()
    .min(0)
    .max(1000)
    .default(0)
    .describe('milliseconds that a batch waits for company while the engine is free; 0: none'),
  modelBatchDelaysMs: numbersByName(0, 1000)
    .default(() => ({}))
    .describe('the same for single models, which wins: yeast=5,cells=0'),
  maxQueuedFrames: whole(1, 1_000_000)
    .default(1024)
    .describe(
      'prepared frames that may wait for a model; one more is shed, or waits with its sender',
    ),
  maxQueuedBytes: whole(MiB, 2 ** 40)
    .default(256 * MiB)
    .describe('bytes of prepared frames that may wait for a model; the same happens'),
  maxStreamFrames: whole(1, 1_000_000)
    .default(512)
    .describe('prepared frames of one stream that may wait for a model; its next is shed'),
  maxStreamBytes: whole(MiB, 2 ** 40)
    .default(128 * MiB)
    .describe('bytes of prepared frames of one stream that may wait; its next is shed'),
  engine: z
    .enum(['onnxruntime', 'tensorflow', 'remote'])
    .default('onnxruntime')
    .describe('what runs the models: ONNX Runtime or TensorFlow here, or another server (remote)'),
  device: z
    .enum(['auto', 'cpu', 'cuda', 'tensorrt', 'webgpu', 'directml', 'coreml'])
    .default('auto')
    .describe(
      'where ONNX Runtime runs the models: auto takes CUDA, then WebGPU, then the CPU; a device that is named and not there stops the start',
    ),
  precision: z
    .enum(['auto', 'full', 'half'])
    .default('auto')
    .describe(
      'half: models run in float16 where their golden frame comes out as in full; auto: half on CUDA, full elsewhere',
    ),
  remote: z
    .string()
    .regex(/^((grpcs?:\/\/)?[^/\s]+:\d+)?$/, 'expected HOST:PORT, or grpcs://HOST:PORT for TLS')
    .default('')
    .describe('HOST:PORT of a server of the Open Inference Protocol; grpcs://HOST:PORT for TLS'),
  remoteModel: z
    .string()
    .default('')
    .describe('NAME or NAME@VERSION of the model there; none: its name here'),
  remoteAuthorities: z
    .string()
    .default('')
    .describe('file of the authorities that sign its certificate, PEM; none: the public ones'),
  tensorflowPackage: z
    .string()
    .default('')
    .describe(
      'package or folder of the TensorFlow that engine tensorflow runs; none: tfjs-node-gpu, tfjs-node, tfjs',
    ),
  ioProcesses: whole(0, 64)
    .default(0)
    .describe('processes that share the gRPC port and the engine; 0: one for 12 cores, at most 4'),
  engineWorkers: whole(0, 64)
    .default(0)
    .describe('batches that run at once, each on threads of its own; 0: one a core, at most 4'),
  engineThreads: whole(0, 1024)
    .default(0)
    .describe('threads of one batch; 0: the cores shared between the workers'),
  prepareThreads: whole(0, 1024)
    .default(0)
    .describe('worker threads that decode and resize; 0: one a core, at most 4'),
  trainingDevice: z
    .enum(['cpu', 'cuda', 'webgpu', 'directml', 'coreml'])
    .default('cpu')
    .describe('where training steps run; one that is not there stops the start'),
  trainingStepsPerCall: whole(0, 256)
    .default(0)
    .describe(
      'training steps between which the weights stay on the device; 0: 8 on CUDA, 1 elsewhere',
    ),
  trainingThreads: whole(0, 1024).default(0).describe('threads of a training step; 0: one a core'),
  trainingShare: z.coerce
    .number()
    .min(0.01)
    .max(1)
    .default(1)
    .describe('part of the time that training takes while frames are answered; 1 never rests'),
  frameCacheBytes: whole(0, 2 ** 50)
    .default(8 * 1024 * MiB)
    .describe('bytes of prepared frames that trainings keep in the folder of runs; 0 keeps none'),

  gateData: z
    .union([z.literal(''), folder])
    .default('')
    .describe(
      'labelled dataset that a version must beat the live one on to be promoted; empty: none',
    ),
  gateMargin: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(0.01)
    .describe('by how much it must beat the live one there; 0: be no worse'),
  gateMetric: z
    .enum([
      'macro_f1_present',
      'macro_f1',
      'micro_f1',
      'exact_match',
      'macro_average_precision_present',
    ])
    .default('macro_f1_present')
    .describe('what is compared there, the higher the better'),

  logLevel: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('least severe log line that is written'),
});

/** Every setting of the server, filled in; paths are absolute. `configFields` documents each. */
export type Config = Readonly<z.output<typeof schema>>;

/** Settings as a caller gives them: any part; strings as from a command line are understood. */
export type ConfigInput = { readonly [Field in keyof Config]?: unknown };

/** One setting, for `--help`, the README's table and an operator's manifest. */
export interface ConfigField {
  readonly name: keyof Config;
  /** Its environment variable, `CYTOSTREAM_MODELS_DIR`. */
  readonly env: string;
  readonly description: string;
  readonly default: unknown;
}

/** A setting's value as it is written on a command line or in the environment. */
export function settingText(value: unknown): string {
  if (Array.isArray(value)) return value.map(settingText).join(',');
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([name, part]) => `${name}=${part}`)
    .join(',');
}

/** Every setting, in the order in which it is documented. */
export const configFields: readonly ConfigField[] = (
  Object.keys(schema.shape) as (keyof Config)[]
).map((name) => ({
  name,
  env: `CYTOSTREAM_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
  description: schema.shape[name].description ?? '',
  default: schema.shape[name].parse(undefined),
}));

/**
 * Fills a Config: what is given wins over the environment (`CYTOSTREAM_*`), which wins
 * over the defaults. Empty variables count as absent. The only reader of the environment.
 *
 * Returns every fault at once, each naming the field and what was expected.
 */
export function parseConfig(
  given: ConfigInput,
  env: Readonly<Record<string, string | undefined>>,
): { readonly value: Config } | { readonly faults: readonly string[] } {
  const input: Record<string, unknown> = {};
  for (const field of configFields) {
    const fromEnv = env[field.env];
    if (fromEnv !== undefined && fromEnv !== '') input[field.name] = fromEnv;
  }
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) input[name] = value;
  }
  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    return {
      faults: parsed.error.issues.map((issue) =>
        issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`,
      ),
    };
  }
  const faults = relationFaults(parsed.data);
  return faults.length > 0 ? { faults } : { value: Object.freeze(parsed.data) };
}

/** What no single field can tell. */
function relationFaults(config: Config): string[] {
  const faults: string[] = [];
  if ((config.tlsCert === '') !== (config.tlsKey === '')) {
    faults.push('tlsCert and tlsKey: expected both or neither');
  }
  if (config.port !== 0 && config.port === config.httpPort) {
    faults.push(`httpPort: expected another port than port, got ${config.port} for both`);
  }
  if ((config.engine === 'remote') !== (config.remote !== '')) {
    faults.push(
      'engine and remote: expected engine remote with the HOST:PORT of remote, or neither',
    );
  }
  if (config.engine !== 'onnxruntime' && config.device !== 'auto') {
    faults.push(`device: expected none with engine ${config.engine}, got ${config.device}`);
  }
  if (config.engine !== 'onnxruntime' && config.precision === 'half') {
    faults.push(`precision: expected auto or full with engine ${config.engine}, got half`);
  }
  if (config.dataRoots.length === 0) faults.push('dataRoots: expected at least one folder');
  const sizes = config.batchSizes;
  if (sizes.length === 0 || sizes.some((size, i) => i > 0 && size <= (sizes[i - 1] ?? 0))) {
    faults.push(`batchSizes: expected ascending sizes, got ${sizes.join(',')}`);
  }
  return faults;
}
