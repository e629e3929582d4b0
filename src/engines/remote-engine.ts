import { DomainError } from '../errors.js';
import type { ModelMetadataResponse } from '../gen/inference/open_inference_grpc.js';
import { type Log, silentLog } from '../log.js';
import { assertRows } from './check-input.js';
import { distanceOutput, findModelFaults, type PortDescription } from './check-model.js';
import type { Engine, Precision, RunResult, RunWish, Session, SessionSpec } from './engine.js';
import { encodeHead, encodeWish, type RemoteTensors, readOutput } from './remote-infer.js';
import { connectRemoteServer, type RemoteAddress } from './remote-server.js';

/** How batches go to another server. */
export interface RemoteEngineOptions extends RemoteAddress {
  /** NAME or NAME@VERSION over there. @default '': the name that the model has here */
  readonly remoteModel: string;
  /**
   * Whether the other side has the same models, so that a version is asked for by its
   * number here. @default false
   */
  readonly asksForVersions: boolean;
  /**
   * Whether the other side is told how soon each batch is wanted, for its queue to heed: it then
   * refuses with `deadline` what would be late. @default false
   */
  readonly tellsWishes: boolean;
  /**
   * What the models there compute in where the other side does not say, as only ours do: their
   * golden frames are held to it. @default 'full'
   */
  readonly precision: Precision;
  /** Batches on their way at once, so that none waits for the answer of another. @default 4 */
  readonly lanes: number;
  /** Longest wait for the answer of a batch. @default 30 000 ms */
  readonly runTimeoutMs: number;
  /** The same for what a model is asked before its first batch. @default 10 000 ms */
  readonly loadTimeoutMs: number;
}

export interface RemoteEngineCollaborators {
  readonly log?: Log;
}

/** Which version answers: the first that did, from then on. */
interface Pinned {
  version: string;
}

/**
 * Runs batches on another server that speaks the Open Inference Protocol: Triton, KServe,
 * MLServer or another of ours. Frames keep their way here; only the network is elsewhere.
 *
 * Behaviour: a model is loaded by asking the other side for its tensors; its bytes are not
 * sent. The version that answers first is asked for from then on, so that a version whose
 * golden frame was checked is never exchanged for another behind a name. While the other
 * side is away runs fail with `not_ready`, and the connection is made again by itself.
 * Use: a lab whose GPUs are in a cluster. Not for: training.
 */
export function createRemoteEngine(
  options: Partial<RemoteEngineOptions> & Pick<RemoteEngineOptions, 'remote'>,
  { log = silentLog }: RemoteEngineCollaborators = {},
): Engine {
  const { remoteModel = '', lanes = 4, asksForVersions = false } = options;
  const { precision: declared = 'full', tellsWishes = false } = options;
  const { runTimeoutMs = 30_000, loadTimeoutMs = 10_000 } = options;
  const server = connectRemoteServer(options);
  let isClosed = false;
  let isAway = false;

  /** Says once that the other side went, and once that it is back. */
  const watch = async <Result>(answer: Promise<Result>): Promise<Result> => {
    try {
      const result = await answer;
      if (isAway) log.info({ server: server.address }, 'the model server is back');
      isAway = false;
      return result;
    } catch (thrown) {
      if (isClosed) throw closed();
      const error = DomainError.from(thrown);
      const isGone = error.code === 'not_ready';
      if (isGone && !isAway) {
        log.error({ server: server.address, error: error.cause }, 'the model server is away');
      }
      isAway = isGone;
      throw error;
    }
  };

  const load = async (spec: SessionSpec): Promise<Session> => {
    if (isClosed) throw closed();
    const own = asksForVersions ? `${spec.name}@${spec.version}` : (spec.name ?? '');
    const model = parseRef(remoteModel || own);
    if (!(await watch(server.isModelReady(model, loadTimeoutMs)))) {
      throw new DomainError('not_ready', `the model server has no "${model.name}" that is ready`);
    }
    const described = await watch(server.describe(model, loadTimeoutMs));
    const tensors = readTensors(described, spec);
    log.info({ server: server.address, ...model, ...tensors }, 'a model is asked for elsewhere');
    if (spec.hasDistance && tensors.distance === '') {
      log.warn({ server: server.address, ...model }, 'distances are not told by the model server');
    }
    const pinned = { version: model.version };
    return openSession(spec, model.name, tensors, { pinned, ...readPlace(described, declared) });
  };

  const openSession = (
    spec: SessionSpec,
    name: string,
    tensors: RemoteTensors,
    { pinned, device, precision }: { readonly pinned: Pinned } & Place,
  ): Session => {
    const heads = new Map<number, Uint8Array>();
    let isUnloaded = false;
    const headOf = (batchSize: number): Uint8Array => {
      const known = heads.get(batchSize);
      if (known) return known;
      const model = { name, version: pinned.version };
      const head = encodeHead(model, tensors, [batchSize, ...spec.inputShape]);
      heads.set(batchSize, head);
      return head;
    };
    const pin = (version: string) => {
      if (version === pinned.version) return;
      if (pinned.version !== '') {
        const got = `got version ${version} of "${name}" from the model server`;
        throw new DomainError('model_failed', `expected version ${pinned.version}, ${got}`);
      }
      pinned.version = version;
      heads.clear();
    };

    const run = async (
      input: Uint8Array,
      batchSize: number,
      wish?: RunWish,
    ): Promise<RunResult> => {
      if (isClosed || isUnloaded) throw closed();
      assertRows(input, batchSize, spec);
      // Taken over as by a worker; the bytes stay where they are.
      const pixels = structuredClone(input, { transfer: [input.buffer as ArrayBuffer] });
      const startedAtMs = performance.now();
      // A server of others may mean something else by them.
      const said = wish && tellsWishes ? encodeWish(wish, startedAtMs) : nothing;
      const batch = { head: headOf(batchSize), wish: said, pixels };
      const response = await watch(server.infer(batch, runTimeoutMs));
      const runMs = performance.now() - startedAtMs;
      pin(response.modelVersion);
      const { output, distance } = tensors;
      const distances = distance ? readOutput(response, distance, [batchSize]) : null;
      return {
        probabilities: readOutput(response, output, [batchSize, spec.labelCount]),
        // Another of ours says NaN where its engine does not tell them.
        ...(distances && !distances.every(Number.isNaN) ? { distances } : {}),
        input: pixels,
        runMs,
      };
    };

    return {
      // The process beside this one is no other place.
      device: asksForVersions && device !== '' ? device : `remote/${server.address}`,
      precision,
      lanes,
      // The other side warms its own.
      copies: 1,
      get isReady() {
        return server.isReachable;
      },
      run,
      async close() {
        isUnloaded = true;
      },
    };
  };

  return {
    name: 'remote',
    load,
    async close() {
      isClosed = true;
      server.close();
    },
    abandon() {
      isClosed = true;
      return server.close();
    },
  };
}

const nothing = new Uint8Array();

/** What another server of ours says of a model beside its tensors. */
interface Place {
  /** Empty where nothing is said. */
  readonly device: string;
  readonly precision: Precision;
}

function readPlace({ parameters }: ModelMetadataResponse, declared: Precision): Place {
  const textOf = (name: string) => {
    const choice = parameters[name]?.parameterChoice;
    return choice?.$case === 'stringParam' ? choice.value : '';
  };
  const told = textOf('precision');
  return {
    device: textOf('device'),
    precision: told === 'half' || told === 'full' ? told : declared,
  };
}

/** "NAME" or "NAME@VERSION". Throws `option_invalid` for no name. */
function parseRef(ref: string): { readonly name: string; readonly version: string } {
  const [name = '', version = ''] = ref.split('@');
  if (name !== '') return { name, version };
  throw new DomainError('option_invalid', 'remoteModel: expected the name of a model, got none');
}

/** Throws `model_failed` unless the model takes and gives what it is to be served with. */
function readTensors({ inputs, outputs }: ModelMetadataResponse, spec: SessionSpec): RemoteTensors {
  // Some servers know nothing of a model's tensors; each answer is checked anyway.
  const given = { inputs: inputs.map(toPort), outputs: outputs.map(toPort) };
  // A model over there that does not say how far a frame is answers without it.
  const hasDistance = spec.hasDistance === true && outputs.length > 1 && outputs.some(isDistance);
  const faults = findModelFaults(
    given.inputs.length > 0 ? given.inputs : [port('pixels', 'uint8', spec.inputShape)],
    given.outputs.length > 0 ? given.outputs : [port('', 'float32', [spec.labelCount])],
    { ...spec, hasDistance },
  );
  if (faults.length > 0) throw new DomainError('model_failed', faults.join('; '));
  const [output] = outputs.length > 1 ? outputs.filter((each) => !isDistance(each)) : outputs;
  return {
    input: inputs[0]?.name ?? 'pixels',
    output: output?.name ?? '',
    distance: hasDistance ? distanceOutput : '',
  };
}

const isDistance = ({ name }: { readonly name: string }) => name === distanceOutput;

const typeNames: Readonly<Record<string, string>> = { UINT8: 'uint8', FP32: 'float32' };

function toPort(tensor: ModelMetadataResponse['inputs'][number]): PortDescription {
  const { name, datatype, shape } = tensor;
  const sizes = shape.map((size, axis) => (size >= 0 ? size : axis === 0 ? 'N' : '?'));
  return { name, type: typeNames[datatype] ?? datatype, shape: sizes };
}

function port(name: string, type: string, row: readonly number[]): PortDescription {
  return { name, type, shape: ['N', ...row] };
}

function closed(): DomainError {
  return new DomainError('not_ready', 'the engine is closed');
}
