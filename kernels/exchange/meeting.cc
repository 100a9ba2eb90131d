#include "kernels/exchange/meeting.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <thread>
#include <vector>

#include "kernels/exchange/socket.h"
#include "sim/base/file.h"

namespace pipescope::kernels::exchange {
namespace {

constexpr char kGreeting[] = "pscope1";  // eight bytes with its zero

struct Address {
  std::string host, port;
};

bool IsPath(const std::string& where) { return where.find('/') != std::string::npos; }

Result<Address> AddressOf(const std::string& where) {
  const size_t colon = where.rfind(':');
  const std::string port = colon == std::string::npos ? "" : where.substr(colon + 1);
  const bool number = !port.empty() && port.size() <= 5 &&
                      port.find_first_not_of("0123456789") == std::string::npos &&
                      std::stoi(port) <= 65535;
  if (!number || colon == 0) {
    return Fail(fmt::format("'{}': expected HOST:PORT, or a path with a / in it", where));
  }
  return Address{where.substr(0, colon), port};
}

// What rank 0 wrote, once it has; a file of an earlier run is read again until it is replaced.
Result<Address> ReadAddress(const std::string& path, Deadline deadline) {
  while (std::chrono::steady_clock::now() < deadline) {
    std::ifstream file(path);
    std::string line;
    if (std::getline(file, line)) return AddressOf(line);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return Fail(path + ": rank 0 has not written where it listens");
}

class TcpMeeting : public Meeting {
 public:
  TcpMeeting(int rank, int ranks, Duration patience)
      : rank_(rank),
        ranks_(ranks),
        patience_(std::chrono::microseconds(static_cast<int64_t>(patience.microseconds()))),
        peers_(rank == 0 ? static_cast<size_t>(ranks) : 1) {}

  ~TcpMeeting() override {
    if (!written_.empty()) std::remove(written_.c_str());
  }

  Status Start(const std::string& where) { return rank_ == 0 ? Host(where) : Come(where); }

  Result<std::string> Share(const std::string& bytes) override {
    const auto all = Collect(bytes);
    if (!all) return Fail(all.error());
    return all->front();
  }

  Status Agree(const Status& own) override {
    const auto all = Collect(own ? "" : own.error().ToString());
    if (!all) return Fail(all.error());
    for (size_t r = 0; r < all->size(); ++r) {
      if (!(*all)[r].empty()) return Fail(fmt::format("rank {}: {}", r, (*all)[r]));
    }
    return {};
  }

  // To rank 0, and from there to all: either all bytes, or who is missing.
  Result<std::vector<std::string>> Collect(const std::string& own) override {
    return rank_ == 0 ? CollectHere(own) : CollectThere(own);
  }

 private:
  Deadline Soon() const { return std::chrono::steady_clock::now() + patience_; }

  Status Host(const std::string& where) {
    uint16_t port = 0;
    if (!IsPath(where)) {
      const auto address = AddressOf(where);
      if (!address) return Fail(address.error());
      port = static_cast<uint16_t>(std::stoi(address->port));
    }
    auto listener = Socket::Listen(port);
    if (!listener) return Fail(listener.error());
    if (IsPath(where)) {
      if (auto ok = WriteAddress(where, *listener); !ok) return ok;
    }
    const Deadline deadline = Soon();
    for (int missing = ranks_ - 1; missing > 0; --missing) {
      if (auto ok = Greet(*listener, deadline); !ok) return TellAll(ok);
    }
    return TellAll({});
  }

  Status WriteAddress(const std::string& path, const Socket& listener) {
    const auto port = listener.Port();
    if (!port) return Fail(port.error());
    char name[256] = "localhost";
    gethostname(name, sizeof(name) - 1);
    written_ = path;
    return WriteFileAtomically(path, fmt::format("{}:{}\n", name, *port));
  }

  // One more rank. A stranger that does not greet, or greets wrongly, is sent away.
  Status Greet(const Socket& listener, Deadline deadline) {
    for (;;) {
      auto peer = listener.Accept(deadline);
      if (!peer) return Fail("did not come: " + Missing());
      const auto hello = peer->Receive(16, std::min(deadline, Soon()));
      if (!hello || hello->compare(0, 8, kGreeting, 8) != 0) continue;
      const uint32_t rank = NumberOf(*hello, 8), ranks = NumberOf(*hello, 12);
      if (ranks != static_cast<uint32_t>(ranks_) || rank == 0 || rank >= ranks) {
        return Fail(fmt::format("rank {} of {} came: expected ranks 1 to {} of {}", rank, ranks,
                                ranks_ - 1, ranks_));
      }
      if (peers_[rank].open()) return Fail(fmt::format("rank {} came twice", rank));
      peers_[rank] = std::move(*peer);
      return {};
    }
  }

  std::string Missing() const {
    std::string missing;
    for (size_t r = 1; r < peers_.size(); ++r) {
      if (!peers_[r].open()) missing += fmt::format("{}{}", missing.empty() ? "ranks " : ", ", r);
    }
    return missing;
  }

  Status TellAll(const Status& status) {
    const std::string text = status ? "" : status.error().ToString();
    for (const Socket& peer : peers_) {
      if (peer.open()) (void)peer.SendMessage(text, Soon());
    }
    return status;
  }

  Status Come(const std::string& where) {
    const Deadline deadline = Soon();
    while (std::chrono::steady_clock::now() < deadline) {
      const auto address = IsPath(where) ? ReadAddress(where, deadline) : AddressOf(where);
      if (!address) return Fail(address.error());
      // A file may be an earlier run's: it is read again from time to time.
      const auto turn = std::chrono::steady_clock::now() + std::chrono::seconds(1);
      auto host = Socket::Connect(address->host, address->port,
                                  IsPath(where) ? std::min(deadline, turn) : deadline);
      if (!host) {
        if (IsPath(where)) continue;
        return Fail(host.error());
      }
      peers_[0] = std::move(*host);
      return Hello();
    }
    return Fail(where + ": rank 0 does not listen there");
  }

  Status Hello() {
    const std::string hello = std::string(kGreeting, 8) + BytesOf(static_cast<uint32_t>(rank_)) +
                              BytesOf(static_cast<uint32_t>(ranks_));
    if (auto ok = peers_[0].Send(hello, Soon()); !ok) return ok;
    // Rank 0 waits for the others, too: it may need all its patience before it answers.
    const auto said = peers_[0].ReceiveMessage(Soon() + patience_);
    if (!said) return Fail("rank 0: " + said.error().ToString());
    return said->empty() ? Status() : Fail(*said);
  }

  Result<std::vector<std::string>> CollectHere(const std::string& own) {
    std::vector<std::string> all = {own};
    const Deadline deadline = Soon();
    std::string failure;
    for (size_t r = 1; r < peers_.size(); ++r) {
      auto bytes = peers_[r].ReceiveMessage(deadline);
      if (!bytes && failure.empty()) {
        failure = fmt::format("rank {}: {}", r, bytes.error().ToString());
      }
      all.push_back(bytes ? std::move(*bytes) : "");
    }
    for (size_t r = 1; r < peers_.size(); ++r) {
      (void)peers_[r].SendMessage(failure, Soon());
      for (size_t i = 0; failure.empty() && i < all.size(); ++i) {
        if (auto ok = peers_[r].SendMessage(all[i], Soon()); !ok) {
          return Fail(fmt::format("rank {}: {}", r, ok.error().ToString()));
        }
      }
    }
    if (!failure.empty()) return Fail(failure);
    return all;
  }

  Result<std::vector<std::string>> CollectThere(const std::string& own) {
    const Socket& host = peers_[0];
    const auto lost = [](const Error& error) { return Fail("rank 0: " + error.ToString()); };
    if (auto ok = host.SendMessage(own, Soon()); !ok) return lost(ok.error());
    const Deadline deadline = Soon() + patience_;
    const auto failure = host.ReceiveMessage(deadline);
    if (!failure) return lost(failure.error());
    if (!failure->empty()) return Fail(*failure);
    std::vector<std::string> all;
    for (int r = 0; r < ranks_; ++r) {
      auto bytes = host.ReceiveMessage(deadline);
      if (!bytes) return lost(bytes.error());
      all.push_back(std::move(*bytes));
    }
    return all;
  }

  const int rank_;
  const int ranks_;
  const std::chrono::microseconds patience_;
  std::vector<Socket> peers_;  // of rank 0 by rank; else rank 0 alone
  std::string written_;        // file that tells where rank 0 is
};

}  // namespace

Result<std::unique_ptr<Meeting>> Meeting::Open(const std::string& where, int rank, int ranks,
                                               Duration patience) {
  if (ranks < 1 || rank < 0 || rank >= ranks) return Fail("a meeting: expected a rank below ranks");
  auto meeting = std::make_unique<TcpMeeting>(rank, ranks, patience);
  if (auto ok = meeting->Start(where); !ok)
    return Fail("meeting at " + where + ": " + ok.error().ToString());
  return std::unique_ptr<Meeting>(std::move(meeting));
}

}  // namespace pipescope::kernels::exchange
