// Streams frames to a Cytostream server and prints the labels of each.
//   node classify.mjs localhost:50051 cells FRAME...      (reads FRAME_red.png, FRAME_green.png, …)
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const [server, model, ...frames] = process.argv.slice(2);
if (frames.length === 0) {
  console.error('usage: node classify.mjs HOST:PORT MODEL FRAME...');
  process.exit(2);
}
const includeDirs = [fileURLToPath(new URL('../../proto', import.meta.url))];
const contract = loadSync('cytostream/v1/classifier.proto', { includeDirs, enums: String });
const { ClassifierService } = grpc.loadPackageDefinition(contract).cytostream.v1;
const client = new ClassifierService(server, grpc.credentials.createInsecure());

const stream = client.Classify();
stream.write({ options: { model } });
for (const frame of frames) {
  const planes = ['red', 'green', 'blue', 'yellow'].map((channel) => ({
    channel,
    pixels: readFileSync(`${frame}_${channel}.png`),
  }));
  stream.write({ frame: { frameId: frame, encoding: 'ENCODING_PNG', planes } });
}
stream.end();

let labels = [];
try {
  for await (const reply of stream) {
    if (reply.model) labels = reply.model.labels;
    else if (reply.prediction.outcome !== 'OUTCOME_OK') console.error(reply.prediction);
    else {
      const { frameId, labelIndices, probabilities, timings } = reply.prediction;
      const named = labelIndices.map(
        (index) => `${labels[index]} ${probabilities[index].toFixed(3)}`,
      );
      const milliseconds = (timings.totalUs / 1000).toFixed(1);
      console.log(`${frameId}: ${named.join(', ') || 'no label'} (${milliseconds} ms)`);
    }
  }
} catch (error) {
  // What went wrong with the whole call; what a program should ask for is `cytostream-code`.
  const [reason = grpc.status[error.code]] = error.metadata.get('cytostream-code');
  console.error(`${error.details} (${reason})`);
  process.exitCode = 1;
}
client.close();
