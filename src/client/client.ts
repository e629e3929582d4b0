import { type ChannelCredentials, credentials, Metadata } from '@grpc/grpc-js';
import type { Priority } from '../batching/index.js';
import { DomainError } from '../errors.js';
import type { EvaluatedPart } from '../evaluation/index.js';
import type { InputSpec } from '../frames/index.js';
import {
  ClassifierServiceClient,
  type ClassifyFrameResponse,
  type ClassifyRequest,
} from '../gen/cytostream/v1/classifier.js';
import {
  type GetModelResponse,
  type ImportModelResponse,
  type ListModelsResponse,
  ModelServiceClient,
  type PromoteModelResponse,
  type RollbackModelResponse,
} from '../gen/cytostream/v1/model.js';
import {
  type GetRunResponse,
  type ListRunsResponse,
  type StopRunResponse,
  TrainerServiceClient,
} from '../gen/cytostream/v1/trainer.js';
import type { PixelScaling } from '../graph/index.js';
import {
  type Answer,
  type FrameInput,
  fromWireComparison,
  fromWireModel,
  fromWirePrediction,
  fromWireReport,
  fromWireRun,
  fromWireRunEvent,
  fromWireStreamModel,
  type ModelDescription,
  type PromotionGate,
  type StreamModel,
  type StreamOptions,
  toWireFrame,
  toWireGate,
  toWireInputSpec,
  toWirePart,
  toWirePriority,
  toWireRunSpec,
  toWireStreamOptions,
  type VersionComparison,
  type VersionReport,
} from '../rpc/index.js';
import type { OpenRunSpec, Run, RunEvent } from '../training/index.js';
import { type CallOptions, exchange, grpcOptions, messages, unary } from './call.js';

const MiB = 1024 * 1024;

export interface ConnectOptions {
  /** @default plain text, as `serve` without a certificate */
  readonly credentials?: ChannelCredentials;
  /** Largest message in and out. @default 64 MiB */
  readonly maxMessageBytes?: number;
  /** HTTP/2 window for what the server sends. @default 4 MiB */
  readonly windowBytes?: number;
}

/** What a stream of frames answers: first the model, and again when its version changes. */
export type ClassifyReply =
  | { readonly kind: 'model'; readonly model: StreamModel }
  | { readonly kind: 'prediction'; readonly prediction: Answer };

/** How far an evaluation is, in frames. */
export interface EvaluateProgress {
  readonly kind: 'progress';
  readonly done: number;
  readonly total: number;
  readonly framesPerSecond: number;
}

/** What an evaluation tells: progress, and last the report. */
export type EvaluateReply = EvaluateProgress | ({ readonly kind: 'report' } & VersionReport);

/** What a comparison tells: progress over the frames of both, and last what came of it. */
export type CompareReply = EvaluateProgress | ({ readonly kind: 'comparison' } & VersionComparison);

/** A model made elsewhere. */
export interface ModelImport {
  readonly name: string;
  /** An ONNX ModelProto with its weights in it: `[N, C, H, W]` in, `[N, labels]` out. */
  readonly onnx: Uint8Array;
  readonly labels: readonly string[];
  /** A size of 0 is taken from the graph. */
  readonly inputSpec: InputSpec;
  /** One per label; none means 0.5 for each. */
  readonly thresholds?: readonly number[];
  /** What a graph of floats is fed with. @default pixels of 0 to 1 */
  readonly scaling?: PixelScaling;
  /** Whether the graph gives logits, so that a sigmoid is put behind it. @default false */
  readonly logits?: boolean;
}

/**
 * A server, as a TypeScript program sees it.
 *
 * Behaviour: one connection for all calls, opened by the first. Every call throws the
 * `DomainError` that the server had, with its code; a server that cannot be reached
 * is `not_ready`. Leaving a `for await` early cancels its call.
 * Use: `for await (const reply of client.classify({ model }, frames)) …`
 */
export interface Client {
  /** Streams frames in and answers out, with back-pressure both ways. */
  classify(
    options: Partial<StreamOptions>,
    frames: AsyncIterable<FrameInput> | Iterable<FrameInput>,
    call?: CallOptions,
  ): AsyncIterable<ClassifyReply>;
  /** One frame. What a stream tells in-band is thrown here. */
  classifyFrame(
    frame: FrameInput,
    options?: { readonly model?: string; readonly priority?: Priority },
    call?: CallOptions,
  ): Promise<{ readonly prediction: Answer; readonly model: StreamModel }>;
  /** Starts a run and follows it; leaving does not stop it. */
  train(
    spec: Partial<OpenRunSpec>,
    options?: CallOptions & { readonly runId?: string },
  ): AsyncIterable<RunEvent>;
  /** Takes up an interrupted run and follows it from there; leaving does not stop it. */
  resumeRun(runId: string, call?: CallOptions): AsyncIterable<RunEvent>;
  /** The events of a run from a number on (1 is the first), then those still to come. */
  watchRun(runId: string, fromNumber?: number, call?: CallOptions): AsyncIterable<RunEvent>;
  stopRun(runId: string, call?: CallOptions): Promise<Run>;
  getRun(runId: string, call?: CallOptions): Promise<Run>;
  listRuns(call?: CallOptions): Promise<readonly Run[]>;
  /** Scores a version on a dataset of the server. */
  evaluate(
    request: {
      readonly dataPath: string;
      readonly model: string;
      /** So many frames whose labels the version doubts most go into the report. @default 0 */
      readonly doubts?: number;
      /** Which frames are scored. @default 'all' */
      readonly part?: EvaluatedPart;
    },
    call?: CallOptions,
  ): AsyncIterable<EvaluateReply>;
  /** Compares two versions of the same labels on a dataset of the server, with paired tests. */
  compare(
    request: {
      readonly dataPath: string;
      readonly model: string;
      readonly compareWith: string;
      /** The frames that are of it for both. @default 'all' */
      readonly part?: EvaluatedPart;
    },
    call?: CallOptions,
  ): AsyncIterable<CompareReply>;
  listModels(call?: CallOptions): Promise<readonly ModelDescription[]>;
  /** `ref`: "name", "name@3" or "name@candidate". */
  getModel(ref: string, call?: CallOptions): Promise<ModelDescription>;
  /** Throws `gate_refused` with the numbers where a gate, given or the server's own, is not passed. */
  promote(
    name: string,
    version: number,
    call?: CallOptions & { readonly gate?: PromotionGate },
  ): Promise<ModelDescription>;
  rollback(name: string, call?: CallOptions): Promise<ModelDescription>;
  importModel(draft: ModelImport, call?: CallOptions): Promise<ModelDescription>;
  /** Closes the connection; calls that are open fail. */
  close(): void;
}

/** Makes a client of a server at `host:port`. Does not wait for the connection. */
export function connect(target: string, options: ConnectOptions = {}): Client {
  const { maxMessageBytes = 64 * MiB, windowBytes = 4 * MiB } = options;
  const channel = options.credentials ?? credentials.createInsecure();
  const channelOptions = {
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc-node.flow_control_window': windowBytes,
  };
  const classifier = new ClassifierServiceClient(target, channel, channelOptions);
  // The three services share one connection.
  const shared = { channelOverride: classifier.getChannel() };
  const trainer = new TrainerServiceClient(target, channel, shared);
  const models = new ModelServiceClient(target, channel, shared);
  const noMetadata = new Metadata();

  return {
    async *classify(streamOptions, frames, call = {}) {
      const stream = classifier.classify(grpcOptions(call));
      for await (const { message } of exchange(call, stream, requests(streamOptions, frames))) {
        if (message?.$case === 'model') {
          yield { kind: 'model', model: fromWireStreamModel(message.value) };
        } else if (message?.$case === 'prediction') {
          yield { kind: 'prediction', prediction: fromWirePrediction(message.value) };
        }
      }
    },
    async classifyFrame(frame, { model = '', priority = 'normal' } = {}, call = {}) {
      const request = { model, frame: toWireFrame(frame), priority: toWirePriority(priority) };
      const response = await unary<ClassifyFrameResponse>(call, (done) =>
        classifier.classifyFrame(request, noMetadata, grpcOptions(call), done),
      );
      return {
        prediction: fromWirePrediction(told(response.prediction)),
        model: fromWireStreamModel(told(response.model)),
      };
    },
    async *train(spec, call = {}) {
      const request = { spec: toWireRunSpec(spec), runId: call.runId ?? '' };
      for await (const { event } of messages(call, trainer.train(request, grpcOptions(call)))) {
        yield fromWireRunEvent(told(event));
      }
    },
    async *watchRun(runId, fromNumber = 1, call = {}) {
      const stream = trainer.watchRun({ runId, fromNumber }, grpcOptions(call));
      for await (const { event } of messages(call, stream)) yield fromWireRunEvent(told(event));
    },
    async *resumeRun(runId, call = {}) {
      const stream = trainer.resumeRun({ runId }, grpcOptions(call));
      for await (const { event } of messages(call, stream)) yield fromWireRunEvent(told(event));
    },
    async stopRun(runId, call = {}) {
      const response = await unary<StopRunResponse>(call, (done) =>
        trainer.stopRun({ runId }, noMetadata, grpcOptions(call), done),
      );
      return fromWireRun(told(response.run));
    },
    async getRun(runId, call = {}) {
      const response = await unary<GetRunResponse>(call, (done) =>
        trainer.getRun({ runId }, noMetadata, grpcOptions(call), done),
      );
      return fromWireRun(told(response.run));
    },
    async listRuns(call = {}) {
      const response = await unary<ListRunsResponse>(call, (done) =>
        trainer.listRuns({}, noMetadata, grpcOptions(call), done),
      );
      return response.runs.map(fromWireRun);
    },
    async *evaluate({ doubts = 0, part = 'all', ...request }, call = {}) {
      const wire = { ...request, doubts, compareWith: '', part: toWirePart(part) };
      const stream = trainer.evaluate(wire, grpcOptions(call));
      for await (const { message } of messages(call, stream)) {
        if (message?.$case === 'progress') yield { kind: 'progress', ...message.value };
        else if (message?.$case === 'report') {
          yield { kind: 'report', ...fromWireReport(message.value) };
        }
      }
    },
    async *compare({ part = 'all', ...request }, call = {}) {
      const wire = { ...request, doubts: 0, part: toWirePart(part) };
      const stream = trainer.evaluate(wire, grpcOptions(call));
      for await (const { message } of messages(call, stream)) {
        if (message?.$case === 'progress') yield { kind: 'progress', ...message.value };
        else if (message?.$case === 'comparison') {
          yield { kind: 'comparison', ...fromWireComparison(message.value) };
        }
      }
    },
    async listModels(call = {}) {
      const response = await unary<ListModelsResponse>(call, (done) =>
        models.listModels({}, noMetadata, grpcOptions(call), done),
      );
      return response.models.map(fromWireModel);
    },
    async getModel(model, call = {}) {
      const response = await unary<GetModelResponse>(call, (done) =>
        models.getModel({ model }, noMetadata, grpcOptions(call), done),
      );
      return fromWireModel(told(response.model));
    },
    async promote(name, version, call = {}) {
      const gate = call.gate === undefined ? undefined : toWireGate(call.gate);
      const response = await unary<PromoteModelResponse>(call, (done) =>
        models.promoteModel({ name, version, gate }, noMetadata, grpcOptions(call), done),
      );
      return fromWireModel(told(response.model));
    },
    async rollback(name, call = {}) {
      const response = await unary<RollbackModelResponse>(call, (done) =>
        models.rollbackModel({ name }, noMetadata, grpcOptions(call), done),
      );
      return fromWireModel(told(response.model));
    },
    async importModel({ name, onnx, labels, inputSpec, ...rest }, call = {}) {
      if (onnx.byteLength > maxMessageBytes) {
        const [most, got] = [maxMessageBytes, onnx.byteLength].map((bytes) => bytes / MiB);
        const wanted = `expected a model of at most ${most} MiB, the largest message, got ${got?.toFixed(1)} MiB`;
        const way = 'a larger one is imported in the folder of models, without --server';
        throw new DomainError('option_invalid', `${wanted}: ${way}`);
      }
      const { thresholds = [], scaling = {}, logits = false } = rest;
      const request = {
        ...{ name, onnx, logits, scale: scaling.scale },
        labels: [...labels],
        inputSpec: toWireInputSpec(inputSpec),
        thresholds: [...thresholds],
        mean: [...(scaling.mean ?? [])],
        std: [...(scaling.std ?? [])],
      };
      const response = await unary<ImportModelResponse>(call, (done) =>
        models.importModel(request, noMetadata, grpcOptions(call), done),
      );
      return fromWireModel(told(response.model));
    },
    close() {
      classifier.close();
    },
  };
}

async function* requests(
  options: Partial<StreamOptions>,
  frames: AsyncIterable<FrameInput> | Iterable<FrameInput>,
): AsyncGenerator<ClassifyRequest> {
  yield { message: { $case: 'options', value: toWireStreamOptions(options) } };
  for await (const frame of frames) {
    yield { message: { $case: 'frame', value: toWireFrame(frame) } };
  }
}

/** A field that every server fills. */
function told<T>(value: T | undefined): T {
  if (value === undefined) throw new DomainError('internal', 'the server left out a field');
  return value;
}
