// A block of device code on the CPU: n threads that meet at every sum, as a GPU's do.
#pragma once

#include <algorithm>
#include <barrier>
#include <thread>
#include <vector>

namespace pipescope::kernels {

class ThreadBlock {
 public:
  // What its lanes share.
  struct Shared {
    explicit Shared(int lanes) : meeting(lanes), values(static_cast<size_t>(lanes)) {}
    std::barrier<> meeting;
    std::vector<float> values;
  };

  ThreadBlock(Shared& shared, int lane) : shared_(shared), lane_(lane) {}

  int lane() const { return lane_; }
  int lanes() const { return static_cast<int>(shared_.values.size()); }

  void Sync() { shared_.meeting.arrive_and_wait(); }

  float Sum(float x) {
    return Together(x, [](float a, float b) { return a + b; });
  }
  float Max(float x) {
    return Together(x, [](float a, float b) { return std::max(a, b); });
  }

 private:
  template <class Join>
  float Together(float x, const Join& join) {
    shared_.values[static_cast<size_t>(lane_)] = x;
    shared_.meeting.arrive_and_wait();
    float all = shared_.values[0];
    for (size_t i = 1; i < shared_.values.size(); ++i) all = join(all, shared_.values[i]);
    shared_.meeting.arrive_and_wait();  // before anyone writes again
    return all;
  }

  Shared& shared_;
  int lane_;
};

// Runs `body(block, row)` for each row, the block's lanes as threads.
template <class Body>
void ForRows(int lanes, int64_t rows, const Body& body) {
  ThreadBlock::Shared shared(lanes);
  std::vector<std::thread> threads;
  for (int lane = 0; lane < lanes; ++lane) {
    threads.emplace_back([&, lane] {
      ThreadBlock block(shared, lane);
      for (int64_t row = 0; row < rows; ++row) body(block, row);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace pipescope::kernels
