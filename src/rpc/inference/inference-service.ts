import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { DomainError } from '../../errors.js';
import {
  GRPCInferenceServiceService,
  type ModelConfigRequest,
  type ModelConfigResponse,
  type ModelMetadataRequest,
  type ModelMetadataResponse,
  type ModelReadyRequest,
  type ModelReadyResponse,
  type RepositoryIndexRequest,
  type RepositoryIndexResponse,
  type ServerLiveRequest,
  type ServerLiveResponse,
  type ServerMetadataRequest,
  type ServerMetadataResponse,
  type ServerReadyRequest,
  type ServerReadyResponse,
} from '../../gen/inference/open_inference_grpc.js';
import { packageRoot } from '../../package-root.js';
import { adaptUnary } from '../adapter.js';
import type { Calls } from '../calls.js';
import type { Admission } from '../classify/admission.js';
import { admitted } from '../classify/admitted.js';
import type { ModelAdmin } from '../collaborators.js';
import { stampReceipt } from '../received.js';
import { toModelConfig, toModelIndex, toModelMetadata } from './describe.js';
import { createInfer, type InferCollaborators, type InferOptions, refOf } from './infer.js';
import { findExcess } from './request-limits.js';

export interface InferenceServiceCollaborators extends InferCollaborators {
  readonly calls: Calls;
  readonly admission: Admission;
  readonly models: Pick<ModelAdmin, 'list' | 'describe'>;
  /** Whether a live model is ready. */
  readonly isServing: () => boolean;
}

/** Of the protocol's extensions: `ModelConfig`, and `priority` and `timeout` of a request. */
const extensions = ['model_configuration', 'schedule_policy'];

/** The service for grpc-js, with requests that say when they came and are never too large to read. */
export const inferenceServiceDefinition: ServiceDefinition = stampReceipt(
  GRPCInferenceServiceService,
  { findExcess },
);

/**
 * `inference.GRPCInferenceService`, the Open Inference Protocol, over our own models:
 * clients written for Triton and KServe work unchanged.
 */
export function createInferenceService(
  options: InferOptions,
  { calls, models, isServing, ...collaborators }: InferenceServiceCollaborators,
): UntypedServiceImplementation {
  const { lender } = collaborators;
  const infer = createInfer(options, collaborators);
  const version = readVersion();
  return {
    serverLive: adaptUnary<ServerLiveRequest, ServerLiveResponse>(
      calls,
      'ServerLive',
      async () => ({
        live: true,
      }),
    ),
    serverReady: adaptUnary<ServerReadyRequest, ServerReadyResponse>(
      calls,
      'ServerReady',
      async () => ({ ready: isServing() }),
    ),
    serverMetadata: adaptUnary<ServerMetadataRequest, ServerMetadataResponse>(
      calls,
      'ServerMetadata',
      async () => ({ name: 'cytostream', version, extensions }),
    ),
    // Borrowed as a request would: a stored version is loaded, and "yes" holds for the next request.
    modelReady: adaptUnary<ModelReadyRequest, ModelReadyResponse>(
      calls,
      'ModelReady',
      async (request) => {
        try {
          (await lender.acquire(refOf(request.name, request.version))).release();
          return { ready: true };
        } catch (thrown) {
          const { code } = DomainError.from(thrown);
          const isAbsent = code === 'model_unknown' || code === 'model_failed';
          if (isAbsent || code === 'not_ready') return { ready: false };
          throw thrown;
        }
      },
    ),
    modelMetadata: adaptUnary<ModelMetadataRequest, ModelMetadataResponse>(
      calls,
      'ModelMetadata',
      async (request) => {
        const model = await models.describe(refOf(request.name, request.version));
        const all = await models.list();
        const same = all.filter(({ name }) => name === model.name);
        return toModelMetadata(
          model,
          same.map((other) => other.version),
        );
      },
    ),
    modelConfig: adaptUnary<ModelConfigRequest, ModelConfigResponse>(
      calls,
      'ModelConfig',
      async (request) => ({
        config: toModelConfig(await models.describe(refOf(request.name, request.version)), options),
      }),
    ),
    repositoryIndex: adaptUnary<RepositoryIndexRequest, RepositoryIndexResponse>(
      calls,
      'RepositoryIndex',
      async ({ ready, repositoryName }) => {
        // There is one repository, without a name.
        if (repositoryName !== '') return { models: [] };
        const all = await models.list();
        return { models: all.filter(({ state }) => !ready || state === 'ready').map(toModelIndex) };
      },
    ),
    modelInfer: adaptUnary(
      calls,
      'ModelInfer',
      options.isInner ? infer : admitted(infer, collaborators),
    ),
  };
}

function readVersion(): string {
  const text = readFileSync(join(packageRoot, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version; // our own file
}
