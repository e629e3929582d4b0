import {
  type ClientDuplexStream,
  credentials,
  Client as GrpcClient,
  Metadata,
} from '@grpc/grpc-js';
import type { Frame } from '../src/frames/index.js';
import { ClassifyRequest } from '../src/gen/cytostream/v1/classifier.js';
import { type StreamOptions, toWireFrame, toWireStreamOptions } from '../src/rpc/index.js';

/** A Classify stream of bytes: requests are encoded once, answers are not read. */
export type RawStream = ClientDuplexStream<Buffer, Buffer>;

/**
 * A client that costs next to nothing, so that what is measured on shared cores is the
 * server: a frame is encoded once and sent again and again, and answers stay bytes.
 */
export interface RawClient {
  openStream(): RawStream;
  close(): void;
}

const path = '/cytostream.v1.ClassifierService/Classify';
const asIs = (bytes: Buffer) => bytes;

export function connectRaw(port: number): RawClient {
  const client = new GrpcClient(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.max_send_message_length': -1,
    // Of grpc-js's clients all with the same target share a connection otherwise.
    'grpc.use_local_subchannel_pool': 1,
  });
  return {
    openStream: () => client.makeBidiStreamRequest(path, asIs, asIs, new Metadata()),
    close: () => client.close(),
  };
}

export function encodeFrame(frame: Frame): Buffer {
  return encode({ message: { $case: 'frame', value: toWireFrame(frame) } });
}

export function encodeOptions(options: Partial<StreamOptions>): Buffer {
  return encode({ message: { $case: 'options', value: toWireStreamOptions(options) } });
}

function encode(request: ClassifyRequest): Buffer {
  return Buffer.from(ClassifyRequest.encode(request).finish());
}
