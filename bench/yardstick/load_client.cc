// A load that costs less than any server it is put on: streams one encoded message again and
// again over gRPC's C++ without looking into the answers.
//
// Arguments: HOST:PORT, file of the message, streams, seconds. Prints one line of JSON.

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <mutex>
#include <vector>

using Clock = std::chrono::steady_clock;

// One stream: a write begins when the one before it was taken, reads go on by themselves.
class Stream final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  Stream(grpc::GenericStub& stub, const grpc::ByteBuffer& message, Clock::time_point end)
      : message_(message), end_(end) {
    stub.PrepareBidiStreamingCall(&context_, "/cytostream.v1.ClassifierService/Classify", {}, this);
    StartRead(&answer_);
    StartWrite(&message_);
    StartCall();
  }
  void OnWriteDone(bool ok) override {
    if (ok && Clock::now() < end_) StartWrite(&message_);
    else StartWritesDone();
  }
  void OnReadDone(bool ok) override {
    if (!ok) return;
    answers_ += 1;
    StartRead(&answer_);
  }
  void OnDone(const grpc::Status& status) override {
    std::lock_guard<std::mutex> lock(mutex_);
    status_ = status;
    is_done_ = true;
    done_.notify_one();
  }
  // Answers of the stream; throws what the server said if it was not OK.
  long Await() {
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return is_done_; });
    if (!status_.ok()) throw std::runtime_error(status_.error_message());
    return answers_;
  }

 private:
  grpc::ClientContext context_;
  grpc::ByteBuffer message_;
  grpc::ByteBuffer answer_;
  Clock::time_point end_;
  std::atomic<long> answers_{0};
  std::mutex mutex_;
  std::condition_variable done_;
  bool is_done_ = false;
  grpc::Status status_;
};

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "expected HOST:PORT, file of the message, streams, seconds\n";
    return 2;
  }
  std::ifstream file(argv[2], std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer message(&slice, 1);
  grpc::ChannelArguments channel_arguments;
  channel_arguments.SetMaxSendMessageSize(-1);
  grpc::GenericStub stub(
      grpc::CreateCustomChannel(argv[1], grpc::InsecureChannelCredentials(), channel_arguments));
  const auto start = Clock::now();
  const auto end = start + std::chrono::duration_cast<Clock::duration>(
                               std::chrono::duration<double>(std::stod(argv[4])));
  std::vector<std::unique_ptr<Stream>> streams;
  for (int at = 0; at < std::stoi(argv[3]); ++at) {
    streams.push_back(std::make_unique<Stream>(stub, message, end));
  }
  long answered = 0;
  try {
    for (const auto& stream : streams) answered += stream->Await();
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
  const std::chrono::duration<double, std::milli> elapsed = Clock::now() - start;
  std::cout << "{\"answered\":" << answered << ",\"elapsedMs\":" << elapsed.count() << "}\n";
}
