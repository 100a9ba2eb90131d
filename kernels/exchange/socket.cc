#include "kernels/exchange/socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

namespace pipescope::kernels::exchange {
namespace {

constexpr uint32_t kMostBytes = 64U << 20;

tl::unexpected<Error> Failed(const char* what) {
  return Fail(std::string(what) + ": " + std::strerror(errno));
}

// Until the socket can be read or written, or it is too late.
Status Await(int fd, short events, Deadline deadline) {
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return Fail("no answer in time");
    pollfd wanted = {fd, events, 0};
    const auto most = static_cast<int>(std::min<int64_t>(left.count(), 1'000'000));
    const int ready = poll(&wanted, 1, most);
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return Failed("a connection");
  }
}

Socket Opened(const addrinfo& address) {
  return Socket(socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

}  // namespace

Socket::Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}
Socket::~Socket() {
  if (fd_ >= 0) close(fd_);
}

Result<Socket> Socket::Listen(uint16_t port) {
  Socket listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener.open()) return Failed("a socket");
  const int yes = 1;
  setsockopt(listener.fd_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  if (bind(listener.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return Failed(("port " + std::to_string(port)).c_str());
  }
  if (listen(listener.fd_, 256) != 0) return Failed("listening");
  return listener;
}

Result<Socket> Socket::Connect(const std::string& host, const std::string& port,
                               Deadline deadline) {
  addrinfo hints = {};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0) {
    return Fail(host + ":" + port + ": " + gai_strerror(error));
  }
  const sockaddr_storage address = [&] {
    sockaddr_storage copy = {};
    std::memcpy(&copy, found->ai_addr, found->ai_addrlen);
    return copy;
  }();
  const addrinfo shape = *found;
  freeaddrinfo(found);
  while (std::chrono::steady_clock::now() < deadline) {
    Socket s = Opened(shape);
    if (!s.open()) return Failed("a socket");
    const auto* to = reinterpret_cast<const sockaddr*>(&address);
    if (connect(s.fd_, to, shape.ai_addrlen) == 0) return s;
    int error = errno;
    if (error == EINPROGRESS && Await(s.fd_, POLLOUT, deadline)) {
      socklen_t size = sizeof(error);
      getsockopt(s.fd_, SOL_SOCKET, SO_ERROR, &error, &size);
      if (error == 0) return s;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return Fail(host + ":" + port + ": nobody listens there");
}

Result<uint16_t> Socket::Port() const {
  sockaddr_in address = {};
  socklen_t size = sizeof(address);
  if (getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) return Failed("a port");
  return ntohs(address.sin_port);
}

Result<Socket> Socket::Accept(Deadline deadline) const {
  for (;;) {
    if (auto ok = Await(fd_, POLLIN, deadline); !ok) return Fail(ok.error());
    Socket s(accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (s.open()) return s;
    const bool passing = errno == EAGAIN || errno == ECONNABORTED || errno == EINTR;
    if (!passing) return Failed("a connection");
  }
}

Status Socket::Send(const std::string& bytes, Deadline deadline) const {
  for (size_t at = 0; at < bytes.size();) {
    const ssize_t sent = send(fd_, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    if (sent > 0) {
      at += static_cast<size_t>(sent);
    } else if (errno == EAGAIN || errno == EINTR) {
      if (auto ok = Await(fd_, POLLOUT, deadline); !ok) return ok;
    } else {
      return Failed("a connection");
    }
  }
  return {};
}

Result<std::string> Socket::Receive(size_t size, Deadline deadline) const {
  std::string bytes(size, '\0');
  for (size_t at = 0; at < size;) {
    const ssize_t got = recv(fd_, bytes.data() + at, size - at, 0);
    if (got > 0) {
      at += static_cast<size_t>(got);
    } else if (got == 0) {
      return Fail("the connection was closed");
    } else if (errno == EAGAIN || errno == EINTR) {
      if (auto ok = Await(fd_, POLLIN, deadline); !ok) return Fail(ok.error());
    } else {
      return Failed("a connection");
    }
  }
  return bytes;
}

Status Socket::SendMessage(const std::string& bytes, Deadline deadline) const {
  if (bytes.size() > kMostBytes) return Fail("a message: more than 64 MiB");
  return Send(BytesOf(static_cast<uint32_t>(bytes.size())) + bytes, deadline);
}

Result<std::string> Socket::ReceiveMessage(Deadline deadline) const {
  const auto size = Receive(4, deadline);
  if (!size) return size;
  const uint32_t count = NumberOf(*size, 0);
  if (count > kMostBytes) return Fail("a message: more than 64 MiB");
  return Receive(count, deadline);
}

std::string BytesOf(uint32_t value) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(value >> 8 * i & 0xff);
  return bytes;
}

uint32_t NumberOf(const std::string& bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value |= uint32_t{static_cast<uint8_t>(bytes[at + i])} << 8 * i;
  return value;
}

}  // namespace pipescope::kernels::exchange
