import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import type { Server } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import { packageRoot } from '../package-root.js';

/** The services that health checks and reflection name. */
export const serviceNames = [
  'cytostream.v1.ClassifierService',
  'cytostream.v1.TrainerService',
  'cytostream.v1.ModelService',
  'inference.GRPCInferenceService',
] as const;

const needsModel = new Set<string>([
  'cytostream.v1.ClassifierService',
  'inference.GRPCInferenceService',
]);

/** Which parts of the server should get calls. */
export interface Serving {
  /** The whole: what a load balancer asks for with an empty name. */
  readonly server: boolean;
  /** Whether a frame would find a model. */
  readonly classifier: boolean;
}

/** grpc.health.v1 and reflection: the services that are not of the contract. */
export interface Auxiliary {
  setServing(serving: Serving): void;
  /** Ends the open `Watch` and reflection streams, which would never end by themselves. */
  end(): void;
}

type Streaming = { end(): void; on(event: 'close' | 'cancelled', listener: () => void): unknown };

/** Adds both services to a server; health starts as NOT_SERVING. */
export function addAuxiliaryServices(server: Server): Auxiliary {
  const open = new Set<Streaming>();
  // Both libraries add their services themselves; this one remembers the streams they open.
  const tracking: Pick<Server, 'addService'> = {
    addService(definition, implementation) {
      const tracked = { ...implementation };
      for (const [name, { originalName, responseStream }] of Object.entries(definition)) {
        const key = originalName !== undefined && originalName in tracked ? originalName : name;
        const handler = tracked[key] as (call: Streaming) => void;
        if (!responseStream) continue;
        tracked[key] = (call: Streaming) => {
          open.add(call);
          call.on('cancelled', () => open.delete(call));
          call.on('close', () => open.delete(call));
          handler(call);
        };
      }
      server.addService(definition, tracked);
    },
  };
  const health = new HealthImplementation();
  const set = (name: string, isServing: boolean) =>
    health.setStatus(name, isServing ? 'SERVING' : 'NOT_SERVING');
  const setServing = ({ server: whole, classifier }: Serving) => {
    set('', whole);
    for (const name of serviceNames) {
      set(name, needsModel.has(name) ? whole && classifier : whole);
    }
  };
  setServing({ server: false, classifier: false });
  health.addToServer(tracking);
  new ReflectionService(loadContract(), { services: [...serviceNames] }).addToServer(tracking);
  return {
    setServing,
    end() {
      for (const call of [...open]) call.end();
      open.clear();
    },
  };
}

/**
 * The files of the contract as `npm run generate` compiles them. What proto-loader makes of
 * the same files would not do: it leaves out which file imports which and what is `optional`,
 * and grpcurl and Python's descriptor pool then refuse them.
 */
function loadContract(): PackageDefinition {
  const compiled = readFileSync(join(packageRoot, 'proto', 'contract.binpb'));
  const { file } = fromBinary(FileDescriptorSetSchema, compiled);
  const fileDescriptorProtos = file.map((each) =>
    Buffer.from(toBinary(FileDescriptorProtoSchema, each)),
  );
  // `as`: of a package's definition the reflection service reads nothing but this.
  return { contract: { fileDescriptorProtos } } as unknown as PackageDefinition;
}
