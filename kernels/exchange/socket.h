// TCP connections that give up at a time: every call has a deadline, and sizes have a bound.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "sim/base/result.h"

namespace pipescope::kernels::exchange {

using Deadline = std::chrono::steady_clock::time_point;

class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();

  // `port` 0: one that is free.
  static Result<Socket> Listen(uint16_t port);
  // Tries again until somebody listens there.
  static Result<Socket> Connect(const std::string& host, const std::string& port,
                                Deadline deadline);

  bool open() const { return fd_ >= 0; }
  Result<uint16_t> Port() const;
  Result<Socket> Accept(Deadline deadline) const;

  Status Send(const std::string& bytes, Deadline deadline) const;
  Result<std::string> Receive(size_t size, Deadline deadline) const;
  // With their length before them, 64 MiB at most.
  Status SendMessage(const std::string& bytes, Deadline deadline) const;
  Result<std::string> ReceiveMessage(Deadline deadline) const;

 private:
  int fd_ = -1;
};

// Little endian.
std::string BytesOf(uint32_t value);
uint32_t NumberOf(const std::string& bytes, size_t at);

}  // namespace pipescope::kernels::exchange
