import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { DomainError } from '../errors.js';
import type {
  GetModelRequest,
  GetModelResponse,
  ImportModelRequest,
  ImportModelResponse,
  ListModelsRequest,
  ListModelsResponse,
  PromoteModelRequest,
  PromoteModelResponse,
  RollbackModelRequest,
  RollbackModelResponse,
} from '../gen/cytostream/v1/model.js';
import { adaptUnary } from './adapter.js';
import type { Calls } from './calls.js';
import type { ModelAdmin } from './collaborators.js';
import { parseGate, parseModelDraft, toWireModel } from './wire/model.js';

export interface ModelServiceCollaborators {
  readonly calls: Calls;
  readonly models: ModelAdmin;
}

/** `cytostream.v1.ModelService` for grpc-js. */
export function createModelService({
  calls,
  models,
}: ModelServiceCollaborators): UntypedServiceImplementation {
  return {
    listModels: adaptUnary<ListModelsRequest, ListModelsResponse>(
      calls,
      'ListModels',
      async () => ({
        models: (await models.list()).map(toWireModel),
      }),
    ),
    getModel: adaptUnary<GetModelRequest, GetModelResponse>(calls, 'GetModel', async (request) => ({
      model: toWireModel(await models.describe(request.model)),
    })),
    promoteModel: adaptUnary<PromoteModelRequest, PromoteModelResponse>(
      calls,
      'PromoteModel',
      async ({ name, version, gate: given }, context) => {
        if (version === 0) throw new DomainError('option_invalid', 'version: expected 1 or more');
        context.note({ model: `${name}@${version}` });
        const gate = given === undefined ? undefined : parseGate(given);
        const { signal } = context;
        return { model: toWireModel(await models.promote(name, version, { gate, signal })) };
      },
    ),
    rollbackModel: adaptUnary<RollbackModelRequest, RollbackModelResponse>(
      calls,
      'RollbackModel',
      async ({ name }) => ({ model: toWireModel(await models.rollback(name)) }),
    ),
    importModel: adaptUnary<ImportModelRequest, ImportModelResponse>(
      calls,
      'ImportModel',
      async (request) => {
        const draft = parseModelDraft(request);
        if ('faults' in draft) throw new DomainError('option_invalid', draft.faults.join('; '));
        return { model: toWireModel(await models.import(draft.value)) };
      },
    ),
  };
}
