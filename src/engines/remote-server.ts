import {
  Client,
  type ClientUnaryCall,
  connectivityState,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { DomainError } from '../errors.js';
import {
  GRPCInferenceServiceService as calls,
  type ModelInferResponse,
  type ModelMetadataRequest,
  type ModelMetadataResponse,
  type ModelReadyResponse,
} from '../gen/inference/open_inference_grpc.js';
import { encodeBatch, type RemoteBatch } from './remote-infer.js';
import { toSentence } from './to-sentence.js';

/** Where another server is. */
export interface RemoteAddress {
  /** "HOST:PORT", or "grpcs://HOST:PORT" for TLS. */
  readonly remote: string;
  /** PEM of the authorities that its certificate is checked with. @default null: those of Node */
  readonly authorities?: Buffer | null;
  /** PEM of the certificate and key that it is shown, over TLS. @default null: none */
  readonly identity?: { readonly cert: Buffer; readonly key: Buffer } | null;
  /** The host name that it is asked by: `:authority`, and over TLS that of its certificate. @default '': that of `remote` */
  readonly authority?: string;
  /** Gives the bearer token that goes with a call; asked before each. @default null: none goes */
  readonly token?: (() => Promise<string>) | null;
}

/** A server of the Open Inference Protocol, as far as an engine asks it. */
export interface RemoteServer {
  /** "HOST:PORT". */
  readonly address: string;
  /** Whether a call would leave at once: not while the other side is away. */
  readonly isReachable: boolean;
  isModelReady(model: ModelMetadataRequest, timeoutMs: number): Promise<boolean>;
  describe(model: ModelMetadataRequest, timeoutMs: number): Promise<ModelMetadataResponse>;
  infer(batch: RemoteBatch, timeoutMs: number): Promise<ModelInferResponse>;
  /** Ends the open calls with `not_ready`; returns how many there were. Idempotent. */
  close(): number;
}

/**
 * Connects to a server of the Open Inference Protocol: Triton, KServe, MLServer or another
 * of ours. One connection for all calls; it is opened by the first, and again by itself
 * when it is lost. Calls throw `not_ready` while the other side is away or slow,
 * `overloaded` when it says so, and `model_failed` for what it refuses.
 */
export function connectRemoteServer({
  remote,
  authorities = null,
  identity = null,
  authority = '',
  token = null,
}: RemoteAddress): RemoteServer {
  const [, scheme, address = ''] = /^(?:(grpcs?):\/\/)?([^/\s]+:\d+)$/.exec(remote) ?? [];
  if (address === '') {
    throw new DomainError('option_invalid', `remote: expected HOST:PORT, got ${remote}`);
  }
  const channelCredentials =
    scheme === 'grpcs'
      ? credentials.createSsl(authorities, identity?.key ?? null, identity?.cert ?? null)
      : credentials.createInsecure();
  const client = new Client(address, channelCredentials, {
    'grpc.max_send_message_length': -1,
    'grpc.max_receive_message_length': 64 * 1024 * 1024,
    // A server that comes back is seen within seconds, not minutes.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 5000,
    // A machine that vanished without a word is noticed while nobody asks it anything.
    'grpc.keepalive_time_ms': 20_000,
    'grpc.keepalive_timeout_ms': 10_000,
    ...(authority === ''
      ? {}
      : {
          'grpc.default_authority': authority,
          'grpc.ssl_target_name_override': authority.replace(/:\d+$/, ''),
        }),
  });
  const open = new Set<ClientUnaryCall>();
  let isClosed = false;

  const call = async <Request, Response>(
    path: string,
    encode: (request: Request) => Buffer,
    decode: (bytes: Buffer) => Response,
    request: Request,
    timeoutMs: number,
    hasWish = false,
  ): Promise<Response> => {
    const metadata = new Metadata();
    if (token !== null) {
      const bearer = await token().catch((cause: unknown) => {
        throw new DomainError('not_ready', 'no token for the model server is to be had', { cause });
      });
      metadata.set('authorization', `Bearer ${bearer}`);
    }
    return new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + timeoutMs };
      const done = (error: ServiceError | null, answer?: Response) => {
        open.delete(asked);
        if (error !== null) reject(toEngineError(error, hasWish));
        else if (answer === undefined) reject(away(new Error('no answer came')));
        else resolve(answer);
      };
      const asked = client.makeUnaryRequest(path, encode, decode, request, metadata, options, done);
      open.add(asked);
    });
  };

  return {
    address,
    get isReachable() {
      if (isClosed) return false;
      // Asking connects again, so that nobody has to lose a frame to find out.
      const state = client.getChannel().getConnectivityState(true);
      return state === connectivityState.READY || state === connectivityState.IDLE;
    },
    async isModelReady(model, timeoutMs) {
      const { path, requestSerialize, responseDeserialize } = calls.modelReady;
      const { ready } = await call<ModelMetadataRequest, ModelReadyResponse>(
        path,
        requestSerialize,
        responseDeserialize,
        model,
        timeoutMs,
      );
      return ready;
    },
    describe(model, timeoutMs) {
      const { path, requestSerialize, responseDeserialize } = calls.modelMetadata;
      return call(path, requestSerialize, responseDeserialize, model, timeoutMs);
    },
    infer(batch, timeoutMs) {
      const { path, responseDeserialize } = calls.modelInfer;
      return call(path, encodeBatch, responseDeserialize, batch, timeoutMs, batch.wish.length > 0);
    },
    close() {
      if (isClosed) return 0;
      isClosed = true;
      const asked = [...open];
      for (const call of asked) call.cancel();
      client.close();
      return asked.length;
    },
  };
}

/** What an engine says of a call that failed; where the other server is goes to the log only. */
function toEngineError(error: ServiceError, hasWish: boolean): DomainError {
  // A server of ours that was told a deadline: it is there, and has refused what would be late.
  if (hasWish && error.metadata?.get('cytostream-code')[0] === 'deadline') {
    return new DomainError('deadline', 'the engine cannot meet the deadline', { cause: error });
  }
  switch (error.code) {
    case status.UNAVAILABLE:
    case status.CANCELLED:
    case status.DEADLINE_EXCEEDED:
      return away(error);
    case status.RESOURCE_EXHAUSTED:
      return new DomainError('overloaded', 'the model server is overloaded', { cause: error });
    default:
      return new DomainError(
        'model_failed',
        `the model server refused: ${toSentence(error.details)}`,
        { cause: error },
      );
  }
}

function away(cause: Error): DomainError {
  return new DomainError('not_ready', 'the model server is away or too slow; try again', { cause });
}
