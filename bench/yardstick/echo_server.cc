// The same stream on gRPC's C++: decodes each message, answers 28 probabilities. A bare
// synchronous server. Prints its port; ends when its standard input is closed.

#include <grpcpp/grpcpp.h>

#include <iostream>

#include "cytostream/v1/classifier.grpc.pb.h"

namespace v1 = cytostream::v1;

class Classifier final : public v1::ClassifierService::Service {
  grpc::Status Classify(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<v1::ClassifyResponse, v1::ClassifyRequest>* stream) override {
    v1::ClassifyRequest request;
    while (stream->Read(&request)) {
      size_t size = 0;
      for (const auto& plane : request.frame().planes()) size += plane.pixels().size();
      v1::ClassifyResponse response;
      auto* prediction = response.mutable_prediction();
      prediction->set_frame_id(request.frame().frame_id());
      prediction->set_outcome(v1::OUTCOME_OK);
      for (int label = 0; label < 28; ++label) prediction->add_probabilities(0.25f);
      prediction->set_model_version(size > 0 ? 1 : 0);
      stream->Write(response);
    }
    return grpc::Status::OK;
  }
};

int main() {
  Classifier service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.SetMaxReceiveMessageSize(64 << 20);
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  auto server = builder.BuildAndStart();
  std::cout << port << std::endl;
  while (std::cin.get() != EOF) {
  }
  server->Shutdown(std::chrono::system_clock::now());
}
