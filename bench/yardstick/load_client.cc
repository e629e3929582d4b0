// A load that costs less than any server it is put on: streams one encoded frame again and
// again over gRPC's C++.
//
// Arguments: HOST:PORT, file of the frame's message, file of the options' message ('' for none),
// streams, seconds; or also frames a second of all streams and "clocked" or "random", for frames
// that come by the clock whether or not the answers before them have. A frame's time then runs from
// the moment it was due, so that a server that stalls is charged for every frame that waited for it.
// Prints one line of JSON: frames sent, answers that are ok, milliseconds in all; by the clock also
// the percentiles of a frame's time, for which answers have to come in order.

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "cytostream/v1/classifier.pb.h"

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

grpc::ByteBuffer Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

cytostream::v1::ClassifyResponse Parse(grpc::ByteBuffer* buffer) {
  grpc::ProtoBufferReader reader(buffer);
  cytostream::v1::ClassifyResponse response;
  response.ParseFromZeroCopyStream(&reader);
  return response;
}

// One stream: a write begins when the one before it was taken, reads go on by themselves.
class Stream final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  // Sends without a pause until `end`, or, without one, each frame when it is due.
  Stream(grpc::GenericStub& stub, const grpc::ByteBuffer& frame,
         const std::optional<grpc::ByteBuffer>& options, std::optional<Clock::time_point> end)
      : frame_(frame), options_(options), end_(end) {
    stub.PrepareBidiStreamingCall(&context_, "/cytostream.v1.ClassifierService/Classify", {}, this);
    StartRead(&answer_);
    Lock lock(mutex_);
    if (options_) {
      is_writing_ = true;
      StartWrite(&*options_);
    } else if (end_) {
      Next();
    }
    StartCall();
  }

  // A frame is due: it goes out as soon as the ones before it have.
  void Send(Clock::time_point due) {
    Lock lock(mutex_);
    due_.push_back(due);
    waiting_ += 1;
    if (!is_writing_) Next();
  }

  // Waits for the answers to all frames so far, and forgets them: what a stream costs to open is
  // no frame's time.
  void Forget() {
    std::unique_lock<std::recursive_mutex> lock(mutex_);
    done_.wait(lock, [this] { return is_done_ || due_.empty(); });
    times_.clear();
    sent_ = 0;
    answered_ = 0;
  }

  // No other frame comes.
  void Finish() {
    Lock lock(mutex_);
    is_finished_ = true;
    if (!is_writing_) Next();
  }

  void OnWriteDone(bool ok) override {
    Lock lock(mutex_);
    is_writing_ = false;
    if (ok) Next();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    const auto now = Clock::now();
    const auto response = Parse(&answer_);
    if (response.has_prediction()) {
      const bool is_ok = response.prediction().outcome() == cytostream::v1::OUTCOME_OK;
      Lock lock(mutex_);
      answered_ += is_ok ? 1 : 0;
      if (!due_.empty()) {
        if (is_ok) times_.push_back(Milliseconds(now - due_.front()).count());
        due_.pop_front();
        if (due_.empty()) done_.notify_one();
      }
    }
    StartRead(&answer_);
  }

  void OnDone(const grpc::Status& status) override {
    Lock lock(mutex_);
    status_ = status;
    is_done_ = true;
    done_.notify_one();
  }

  // Waits for its end; throws what the server said if it was not OK.
  void Await() {
    std::unique_lock<std::recursive_mutex> lock(mutex_);
    done_.wait(lock, [this] { return is_done_; });
    if (!status_.ok()) throw std::runtime_error(status_.error_message());
  }

  // To be read after Await.
  long sent() const { return sent_; }
  long answered() const { return answered_; }
  const std::vector<double>& times() const { return times_; }

 private:
  // A write may be done, and tell so, within the call that begins it.
  using Lock = std::lock_guard<std::recursive_mutex>;

  // Begins the next write, if there is one; under the lock.
  void Next() {
    const bool is_endless = end_ && Clock::now() < *end_;
    if (is_endless || waiting_ > 0) {
      if (!is_endless) waiting_ -= 1;
      is_writing_ = true;
      sent_ += 1;
      StartWrite(&frame_);
    } else if ((end_ || is_finished_) && !is_half_closed_) {
      is_half_closed_ = true;
      StartWritesDone();
    }
  }

  grpc::ClientContext context_;
  grpc::ByteBuffer frame_;
  std::optional<grpc::ByteBuffer> options_;
  grpc::ByteBuffer answer_;
  const std::optional<Clock::time_point> end_;
  std::recursive_mutex mutex_;
  std::condition_variable_any done_;
  std::deque<Clock::time_point> due_;
  std::vector<double> times_;
  long waiting_ = 0;
  long sent_ = 0;
  long answered_ = 0;
  bool is_writing_ = false;
  bool is_finished_ = false;
  bool is_half_closed_ = false;
  bool is_done_ = false;
  grpc::Status status_;
};

struct Arrival {
  Clock::time_point due;
  size_t stream;
};

// When the frames of each stream are due: at even intervals from a random start, or exponentially
// long after each other.
std::vector<Arrival> Plan(Clock::time_point start, size_t streams, double seconds,
                          double frames_per_second, bool is_random) {
  std::mt19937_64 generator(1);
  std::uniform_real_distribution<double> unit(0, 1);
  const double interval = streams / frames_per_second;
  std::vector<Arrival> arrivals;
  for (size_t stream = 0; stream < streams; ++stream) {
    double at = -unit(generator) * interval;
    for (;;) {
      at += is_random ? -std::log(1 - unit(generator)) * interval : interval;
      if (at > seconds) break;
      if (at < 0) continue;
      const auto offset = std::chrono::duration<double>(at);
      arrivals.push_back({start + std::chrono::duration_cast<Clock::duration>(offset), stream});
    }
  }
  std::sort(arrivals.begin(), arrivals.end(),
            [](const Arrival& one, const Arrival& other) { return one.due < other.due; });
  return arrivals;
}

int main(int argc, char** argv) {
  if (argc != 6 && argc != 8) {
    std::cerr << "expected HOST:PORT, file of the frame, file of the options, streams, seconds, and "
                 "perhaps frames a second and \"clocked\" or \"random\"\n";
    return 2;
  }
  const grpc::ByteBuffer frame = Read(argv[2]);
  std::optional<grpc::ByteBuffer> options;
  if (std::string(argv[3]) != "") options = Read(argv[3]);
  const size_t count = std::stoul(argv[4]);
  const double seconds = std::stod(argv[5]);
  const bool is_by_clock = argc == 8;

  grpc::ChannelArguments channel_arguments;
  channel_arguments.SetMaxSendMessageSize(-1);
  grpc::GenericStub stub(
      grpc::CreateCustomChannel(argv[1], grpc::InsecureChannelCredentials(), channel_arguments));
  auto start = Clock::now();
  std::optional<Clock::time_point> end;
  if (!is_by_clock) {
    end = start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }
  std::vector<std::unique_ptr<Stream>> streams;
  for (size_t at = 0; at < count; ++at) {
    streams.push_back(std::make_unique<Stream>(stub, frame, options, end));
  }
  if (is_by_clock) {
    const bool is_random = std::string(argv[7]) == "random";
    for (const auto& stream : streams) stream->Send(Clock::now());
    for (const auto& stream : streams) stream->Forget();
    start = Clock::now();
    for (const auto& [due, stream] : Plan(start, count, seconds, std::stod(argv[6]), is_random)) {
      std::this_thread::sleep_until(due);
      streams[stream]->Send(due);
    }
    for (const auto& stream : streams) stream->Finish();
  }
  long sent = 0;
  long answered = 0;
  std::vector<double> times;
  try {
    for (const auto& stream : streams) {
      stream->Await();
      sent += stream->sent();
      answered += stream->answered();
      times.insert(times.end(), stream->times().begin(), stream->times().end());
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
  std::cout << "{\"sent\":" << sent << ",\"answered\":" << answered
            << ",\"elapsedMs\":" << Milliseconds(Clock::now() - start).count();
  if (is_by_clock && !times.empty()) {
    std::sort(times.begin(), times.end());
    const auto percentile = [&times](double part) {
      return times[std::min(times.size() - 1, static_cast<size_t>(times.size() * part))];
    };
    std::cout << ",\"p50Ms\":" << percentile(0.5) << ",\"p99Ms\":" << percentile(0.99)
              << ",\"maxMs\":" << times.back();
  }
  std::cout << "}\n";
}
