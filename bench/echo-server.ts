// The same stream as bench/yardstick's on bare grpc-js, with the window of this product's port:
// decodes each message, answers 28 probabilities. What the transport of Node.js costs by itself.
// Prints its port.
import { promisify } from 'node:util';
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import {
  ClassifierServiceService,
  type ClassifyRequest,
  ClassifyResponse,
  Outcome,
} from '../src/gen/cytostream/v1/classifier.js';
import { withWindows } from '../src/rpc/windows.js';
import { relaxCollector } from '../src/server/collector.js';

relaxCollector();
const server = new Server({ 'grpc.max_receive_message_length': 64 * 1024 * 1024 });
const probabilities = new Array<number>(28).fill(0.25);
server.addService(
  { classify: ClassifierServiceService.classify },
  {
    classify(stream: ServerDuplexStream<ClassifyRequest, ClassifyResponse>) {
      stream.on('data', ({ message }: ClassifyRequest) => {
        if (message?.$case !== 'frame') return;
        const { frameId, planes } = message.value;
        const size = planes.reduce((sum, { pixels }) => sum + pixels.length, 0);
        const prediction = { frameId, outcome: Outcome.OK, probabilities, modelVersion: size && 1 };
        stream.write(
          ClassifyResponse.fromPartial({ message: { $case: 'prediction', value: prediction } }),
        );
      });
      stream.on('end', () => stream.end());
    },
  },
);
const bind = promisify(server.bindAsync.bind(server));
const port = await withWindows({ windowBytes: 1024 * 1024 }, () =>
  bind('127.0.0.1:0', ServerCredentials.createInsecure()),
);
console.log(port);
