// Errors of the user's input are values; broken invariants abort.
//
//   Result<Cluster> LoadCluster(const std::string& path);
//   auto cluster = LoadCluster("fat_tree.yaml");
//   if (!cluster) return Fail(cluster.error());
//
// An Error's text names everything a person needs to mend the input:
//   h800.yaml:12:9: node.nic_bandwidth: '400': expected a bandwidth with its unit, such as
//   '400 Gbps' or '50 GB/s'
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace pipescope {

// A place in an input file; line and column count from 1, 0 where unknown.
struct Location {
  std::string file;
  int line = 0;
  int column = 0;
};

struct Error {
  std::string message;
  Location where = {};
  std::string field = {};  // dotted path from the file's root, such as "node.nics[0].bandwidth"

  // "file:line:column: field: message", leaving out what is not known.
  std::string ToString() const;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = tl::expected<void, Error>;

inline tl::unexpected<Error> Fail(Error error) { return tl::unexpected<Error>(std::move(error)); }
inline tl::unexpected<Error> Fail(std::string message) { return Fail(Error{std::move(message)}); }

}  // namespace pipescope

// Aborts with the place where one of our own invariants broke; never for bad input.
#define PIPESCOPE_CHECK(condition)                                                           \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      std::fprintf(stderr, "%s:%d: broken invariant: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)
