import { isAbsolute, resolve } from 'node:path';
import { z } from 'zod';

const MiB = 1024 * 1024;

/** A folder, made absolute against the working folder. */
const folder = z
  .string()
  .min(1)
  .transform((path) => (isAbsolute(path) ? path : resolve(path)));
const whole = (minimum: number, maximum: number) => {
  const error = `expected a whole number from ${minimum} to ${maximum}`;
  return z.coerce.number({ error }).int({ error }).min(minimum, { error }).max(maximum, { error });
};
const number = (minimum: number, maximum: number) => {
  const error = `expected a number from ${minimum} to ${maximum}`;
  return z.coerce.number({ error }).min(minimum, { error }).max(maximum, { error });
};
const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z.enum(words, { error: `expected one of ${words.join(', ')}` });
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
    z.record(z.string().min(1), number(minimum, maximum)),
  );

/** One entry a field: its bounds, its default, and what it bounds or does. */
const schema = z.strictObject({
  modelsDir: folder
    .default(() => resolve('models'))
    .describe('folder of the models; made if it does not exist'),
  runsDir: folder.default(() => resolve('runs')).describe('folder of the training runs'),
  dataRoots: list(folder)
    .default(() => [resolve('.')])
    .describe(
      'folders, with commas between, below which datasets may lie; a path outside is refused',
    ),

  host: z.string().min(1).default('0.0.0.0').describe('address the gRPC port listens on'),
  port: whole(0, 65535).default(50051).describe('gRPC port; 0 takes a free one'),
  httpHost: z.string().min(1).default('0.0.0.0').describe('address the HTTP port listens on'),
  httpPort: whole(0, 65535)
    .default(9464)
    .describe('HTTP port of /metrics, /healthz and /readyz; 0 takes a free one'),
  tlsCert: z
    .string()
    .default('')
    .describe('file of the server certificate, PEM; with a key it turns TLS on'),
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
  maxReceivedBytes: whole(MiB, 2 ** 40)
    .default(512 * MiB)
    .describe(
      'bytes of frames, as they came or as their model takes them, that may be on their way to an answer in each process that takes frames; then streams that block wait, others shed, single calls are refused; a stream may always have one',
    ),
  maxCalls: whole(1, 1_000_000)
    .default(10_000)
    .describe(
      'calls open at once in each process that takes frames; the next is refused as overloaded',
    ),
  graceMs: whole(0, 3_600_000)
    .default(30_000)
    .describe(
      'within what time a shutdown ends, calls and a training included; what is open near its end is cut',
    ),

  batchSizes: list(whole(1, 1024))
    .default(() => [])
    .describe(
      'batch sizes that are run and warmed, up to those that gain nothing; a batch is padded up to the next; none: 1,2,4,8,16,32, and on CUDA and TensorRT 64,128,256 too',
    ),
  maxBatchDelayMs: number(0, 1000)
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
    .describe(
      'prepared frames of one stream that may wait for a model; its oldest or its next is shed',
    ),
  maxStreamBytes: whole(MiB, 2 ** 40)
    .default(128 * MiB)
    .describe(
      'bytes of frames of one stream without an answer; then its overflow policy acts; and of its prepared frames that may wait',
    ),
  engine: oneOf(['onnxruntime', 'tensorflow', 'remote'])
    .default('onnxruntime')
    .describe('what runs the models: ONNX Runtime or TensorFlow here, or another server (remote)'),
  device: oneOf(['auto', 'cpu', 'cuda', 'tensorrt', 'webgpu', 'directml', 'coreml'])
    .default('auto')
    .describe(
      'where ONNX Runtime runs the models: auto takes CUDA, then WebGPU, then the CPU; a device that is named and not there stops the start',
    ),
  precision: oneOf(['auto', 'full', 'half'])
    .default('auto')
    .describe(
      'half: models run in float16 where their golden frame comes out as in full; auto: half on CUDA and TensorRT, full elsewhere; with a remote engine half says that the models there do, so that golden frames may lie as far off',
    ),
  resize: z
    .enum(['auto', 'host', 'graph'])
    .default('auto')
    .describe(
      'graph: raw planes travel to the engine as they came and are resized in the graph; auto: on CUDA and WebGPU those that rule area averages, all others on the CPU (host)',
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
  remoteCert: z
    .string()
    .default('')
    .describe('file of the certificate that it is shown over TLS, PEM, with its key'),
  remoteKey: z.string().default('').describe('file of the private key of that, PEM'),
  remoteAuthority: z
    .string()
    .default('')
    .describe(
      'host name that it is asked by (:authority, and over TLS the name in its certificate), as gateways of Istio and Knative want; none: that of HOST:PORT',
    ),
  remoteTokenFile: z
    .string()
    .default('')
    .describe('file of a bearer token that goes with each call; read again once it is replaced'),
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
  engineTimeoutMs: whole(100, 3_600_000)
    .default(30_000)
    .describe(
      'longest run of a batch before the engine counts as hung and starts again; a batch size that has run gets 50 times what it took, 5 s at least',
    ),
  prepareThreads: whole(0, 1024)
    .default(0)
    .describe('worker threads that decode and resize; 0: one a core, at most 4'),
  trainingDevice: oneOf(['auto', 'cpu', 'cuda', 'webgpu', 'directml', 'coreml'])
    .default('cpu')
    .describe(
      'where trainings of ONNX Runtime run and validate: auto takes CUDA, then the CPU; one that is named and not there stops the start',
    ),
  trainingStepsPerCall: whole(0, 256)
    .default(0)
    .describe(
      'training steps between which the weights stay on the device; 0: 8 on CUDA, 1 elsewhere',
    ),
  trainingThreads: whole(0, 1024).default(0).describe('threads of a training step; 0: one a core'),
  trainingShare: number(0.01, 1)
    .default(1)
    .describe(
      'part of the time that training takes while frames wait or are answered; 1 never rests',
    ),
  frameCacheBytes: whole(0, 2 ** 50)
    .default(8 * 1024 * MiB)
    .describe('bytes of prepared frames that trainings keep in the folder of runs; 0 keeps none'),

  gateData: z
    .union([z.literal(''), folder])
    .default('')
    .describe(
      'labelled dataset that a version must beat the live one on to be promoted; empty: none',
    ),
  gateMargin: number(0, 1)
    .default(0.01)
    .describe('by how much it must beat the live one there; 0: be no worse'),
  gateMetric: oneOf([
    'macro_f1_present',
    'macro_f1',
    'micro_f1',
    'exact_match',
    'macro_average_precision_present',
  ])
    .default('macro_f1_present')
    .describe(
      'what is compared there, the higher the better; beside a macro mean, micro F1 may not fall by more than the margin',
    ),

  logLevel: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('least severe log line that is written'),
});

/** Every setting of the server, filled in; paths are absolute. `configFields` documents each. */
export type Config = Readonly<z.output<typeof schema>>;

/** Settings as a caller gives them: any part; strings as from a command line are understood. */
export type ConfigInput = { readonly [Field in keyof Config]?: unknown };

/** Where each group of settings starts, in the order of the schema. */
const groups: Readonly<Partial<Record<keyof Config, string>>> = {
  modelsDir: 'Folders',
  host: 'Ports',
  maxMessageBytes: 'Calls and connections',
  batchSizes: 'Batches and queues',
  engine: 'Engine',
  trainingDevice: 'Training',
  gateData: 'Gate of promotions',
  logLevel: 'Log',
};

/** One setting, for `--help`, the README's table and an operator's manifest. */
export interface ConfigField {
  readonly name: keyof Config;
  /** Its option on the command line, `--http-port`. */
  readonly flag: string;
  /** What it belongs to, "Batches and queues". */
  readonly group: string;
  /** The words it may be; null where it is none of a few. */
  readonly choices: readonly string[] | null;
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

/** `modelsDir` and `runsDir` are options of most verbs, where they are shorter. */
const flagOf = (field: string) => {
  const name = field.replace(/^(models|runs)Dir$/, '$1');
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter}`)}`.toLowerCase();
};
const envOf = (name: string) =>
  `CYTOSTREAM_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;

/** Every setting, in the order in which it is documented. */
export const configFields: readonly ConfigField[] = (
  Object.keys(schema.shape) as (keyof Config)[]
).map((name, index, names) => {
  const inner = schema.shape[name].unwrap();
  return {
    name,
    flag: flagOf(name),
    group: groups[names.slice(0, index + 1).findLast((each) => each in groups) ?? name] ?? '',
    choices: inner instanceof z.ZodEnum ? inner.options.map(String) : null,
    env: envOf(name),
    description: schema.shape[name].description ?? '',
    default: schema.shape[name].parse(undefined),
  };
});

/**
 * Fills a Config: what is given wins over the environment (`CYTOSTREAM_*`), which wins
 * over the defaults. Empty variables count as absent. The only reader of the environment.
 *
 * Returns every fault at once, each naming the setting as it was given (`--grace-ms` or
 * `CYTOSTREAM_GRACE_MS`), what was expected and what came.
 */
export function parseConfig(
  given: ConfigInput,
  env: Readonly<Record<string, string | undefined>>,
): { readonly value: Config } | { readonly faults: readonly string[] } {
  const input: Record<string, unknown> = {};
  const givenAs = new Map<PropertyKey, string>();
  for (const field of configFields) {
    const fromEnv = env[field.env];
    if (fromEnv === undefined || fromEnv === '') continue;
    input[field.name] = fromEnv;
    givenAs.set(field.name, field.env);
  }
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    input[name] = value;
    givenAs.set(name, flagOf(name));
  }
  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    return {
      faults: parsed.error.issues.map((issue) => {
        const [name] = issue.path;
        if (name === undefined) return issue.message;
        return `${givenAs.get(name) ?? flagOf(String(name))}: ${issue.message}, got ${JSON.stringify(input[String(name)])}`;
      }),
    };
  }
  const faults = relationFaults(parsed.data);
  return faults.length > 0 ? { faults } : { value: Object.freeze(parsed.data) };
}

/** Read by the tests and the measurements of the product. */
const forDevelopers = /^CYTOSTREAM_(SHARED_DATA|BENCH_PYTHON|TEST_PYTHON|TENSORFLOW_PACKAGE)$/;

/** Variables that look like settings and are none: a slip of the pen would pass unseen. */
export function unknownVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set(configFields.map((field) => field.env));
  return Object.keys(env).filter(
    (name) => name.startsWith('CYTOSTREAM_') && !known.has(name) && !forDevelopers.test(name),
  );
}

/** What no single field can tell. */
function relationFaults(config: Config): string[] {
  const faults: string[] = [];
  if ((config.tlsCert === '') !== (config.tlsKey === '')) {
    faults.push('--tls-cert and --tls-key: expected both or neither');
  }
  if (config.port !== 0 && config.port === config.httpPort) {
    faults.push(`--http-port: expected another port than --port, got ${config.port} for both`);
  }
  if ((config.engine === 'remote') !== (config.remote !== '')) {
    faults.push(
      '--engine and --remote: expected --engine remote with --remote HOST:PORT, or neither',
    );
  }
  if (config.engine !== 'onnxruntime' && config.device !== 'auto') {
    faults.push(`--device: expected none with engine ${config.engine}, got ${config.device}`);
  }
  if ((config.remoteCert === '') !== (config.remoteKey === '')) {
    faults.push('--remote-cert and --remote-key: expected both or neither');
  }
  if (config.remoteCert !== '' && !config.remote.startsWith('grpcs://')) {
    faults.push('--remote-cert: expected --remote grpcs://HOST:PORT, as it is shown over TLS');
  }
  if (config.engine === 'tensorflow' && config.precision === 'half') {
    faults.push(`--precision: expected auto or full with engine ${config.engine}, got half`);
  }
  if (config.engine !== 'onnxruntime' && config.resize === 'graph') {
    faults.push(`--resize: expected auto or host with engine ${config.engine}, got graph`);
  }
  if (config.dataRoots.length === 0) faults.push('--data-roots: expected at least one folder');
  const sizes = config.batchSizes;
  if (sizes.some((size, i) => i > 0 && size <= (sizes[i - 1] ?? 0))) {
    faults.push(`--batch-sizes: expected ascending sizes, got ${sizes.join(',')}`);
  }
  return faults;
}
