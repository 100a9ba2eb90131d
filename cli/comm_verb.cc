#include "cli/comm_verb.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cli/examples.h"
#include "cli/verb.h"
#include "reports/comm_json.h"
#include "reports/comm_text.h"
#include "sim/base/names.h"
#include "sim/base/quantity.h"
#include "sim/exchange/low_latency.h"
#include "sim/experiment/what_if.h"
#include "topology/check.h"
#include "topology/load.h"

namespace pipescope::cli {
namespace {

constexpr const char* kExamples =
    "pipescope comm h800_2048_fat_tree --pattern dispatch --gpus 64\n"
    "pipescope comm h800_2048_fat_tree --pattern combine --gpus 16 --sms 8,16,24\n"
    "pipescope comm my_cluster.yaml --pattern dispatch --gpus 32 --top-k 13 --skew 0.5\n"
    "pipescope comm h800_2048_fat_tree --pattern dispatch --kernels low-latency --tokens 128\n"
    "pipescope comm h800_2048_fat_tree --pattern all-reduce --gpus 64 --size '256 MB'\n"
    "pipescope comm h100_dgx_pod --pattern all-to-all --gpus 32 --algorithm hierarchical "
    "--size '1 GiB' --format json";

struct Options {
  std::string topology;
  std::string pattern;
  int gpus = 64;
  exchange::ExchangeCase exchange;
  int groups = 0;  // 0: the nodes
  int groups_per_token = 0;
  std::string group_score = "best-two";
  std::string precision = "fp8";
  std::string kernels = "v1";
  std::vector<int> sms = {4, 8, 12, 16, 20, 24, 32};
  std::vector<int> buffers;
  std::string jitter;
  std::vector<std::string> slow_gpus;
  std::string algorithm;
  std::string size = "1 GiB";
  std::string format = "text";
  std::string output;
  // Options that only dispatch and combine have, and only collectives.
  std::vector<CLI::Option*> of_exchange, of_collective;
};

bool IsExchange(const std::string& pattern) {
  return pattern == "dispatch" || pattern == "combine";
}

Status CheckPattern(const Options& o) {
  std::vector<std::string> known = collective::Patterns();
  known.insert(known.begin(), {"dispatch", "combine"});
  if (std::find(known.begin(), known.end(), o.pattern) == known.end()) {
    return Fail(fmt::format("--pattern: '{}' is not a known pattern{}", o.pattern,
                            Suggestion(o.pattern, known)));
  }
  const bool exchange = IsExchange(o.pattern);
  for (const CLI::Option* option : exchange ? o.of_collective : o.of_exchange) {
    if (option->count() == 0) continue;
    return Fail(fmt::format("{} is not for {}; it is for {}", option->get_name(), o.pattern,
                            exchange ? "collectives" : "dispatch and combine"));
  }
  return {};
}

Result<exchange::ExchangeCase> CaseOf(const Options& o, const topology::Cluster& cluster) {
  exchange::ExchangeCase c = o.exchange;
  c.gpus = o.gpus;
  c.direction =
      o.pattern == "dispatch" ? exchange::Direction::kDispatch : exchange::Direction::kCombine;
  const int nodes = std::max(1, o.gpus / cluster.node.gpus);
  c.gating.groups = o.groups > 0 ? o.groups : nodes;
  c.gating.groups_per_token =
      o.groups_per_token > 0 ? o.groups_per_token : std::min(4, c.gating.groups);
  c.gating.score = o.group_score == "best-two"   ? exchange::GroupScore::kBestTwo
                   : o.group_score == "best-one" ? exchange::GroupScore::kBestOne
                                                 : exchange::GroupScore::kRandom;
  c.fp8 = o.precision == "fp8";
  c.generation = o.kernels == "v1"            ? exchange::Generation::kV1
                 : o.kernels == "v2"          ? exchange::Generation::kV2
                 : o.kernels == "low-latency" ? exchange::Generation::kLowLatency
                                              : exchange::Generation::kLowLatencyNic;
  if (exchange::IsLowLatency(c.generation)) {
    for (const CLI::Option* option : o.of_exchange) {
      const std::string name = option->get_name();
      if (option->count() == 0 || (name != "--sms" && name != "--buffers")) continue;
      return Fail(name +
                  " is for --kernels v1 and v2: the low-latency kernels take all SMs and "
                  "have no rings");
    }
  }
  if (o.buffers.size() == 4) {
    c.buffers = exchange::Buffers{o.buffers[0], o.buffers[1], o.buffers[2], o.buffers[3]};
  }
  for (const std::string& text : o.slow_gpus) {
    const auto slow = ParseSlowGpu(text);
    if (!slow) return Fail(fmt::format("--slow-gpu '{}': expected such as '5 x 1.2'", text));
    c.slow_gpus.push_back(*slow);
  }
  if (!o.jitter.empty()) {
    auto jitter = ParseDuration(o.jitter);
    if (!jitter) return Fail("--jitter: " + jitter.error().message);
    c.jitter = *jitter;
  }
  return c;
}

int Exchange(const Options& o, const topology::Cluster& cluster) {
  auto c = CaseOf(o, cluster);
  if (!c) return Complain(c.error());
  std::vector<int> sms = o.sms;
  if (auto fits = exchange::CheckCase(cluster, *c, sms); !fits) return Complain(fits.error());
  const auto results = exchange::RunExchange(cluster, *c, sms);
  return Emit(o.output, o.format == "json" ? reports::ExchangeJson(cluster, *c, results)
                                           : reports::ExchangeText(cluster, *c, results));
}

int Collective(const Options& o, const topology::Cluster& cluster) {
  collective::Collective c;
  c.pattern = o.pattern;
  c.algorithm = o.algorithm.empty() ? collective::AlgorithmsOf(o.pattern).front() : o.algorithm;
  c.gpus = o.gpus;
  c.gpus_per_node = std::min(o.gpus, cluster.node.gpus);
  if (c.gpus > cluster.gpus()) {
    return Complain(
        {fmt::format("--gpus: {} of {} that {} has", c.gpus, cluster.gpus(), cluster.name)});
  }
  auto size = ParseBytes(o.size);
  if (!size) return Complain({"--size: " + size.error().message});
  c.size = *size;
  auto transfers = collective::MakeTransfers(c);
  if (!transfers) return Complain(transfers.error());
  const double network = exchange::kNetworkShare;
  const auto time = collective::TimeOf(cluster, c, *transfers, network);
  return Emit(o.output, o.format == "json" ? reports::CollectiveJson(cluster, c, time, network)
                                           : reports::CollectiveText(cluster, c, time, network));
}

int Comm(const Options& o) {
  if (auto pattern = CheckPattern(o); !pattern) return Complain(pattern.error());
  auto cluster = topology::LoadCluster(o.topology);
  if (!cluster) return Complain(cluster.error());
  if (auto known = topology::CheckKnown(*cluster); !known) {
    Error error = known.error();
    error.where.file = o.topology;
    return Complain(error);
  }
  return IsExchange(o.pattern) ? Exchange(o, *cluster) : Collective(o, *cluster);
}

void AddRoutingOptions(CLI::App& verb, Options& o) {
  const auto add = [&o](CLI::Option* option) { o.of_exchange.push_back(option); };
  exchange::Gating& g = o.exchange.gating;
  add(verb.add_option("--experts", g.experts, "Routed experts")->capture_default_str());
  add(verb.add_option("--top-k", g.top_k, "Experts a token")->capture_default_str());
  add(verb.add_option("--groups", o.groups, "Expert groups; default: one a node")
          ->check(CLI::PositiveNumber));
  add(verb.add_option("--groups-per-token", o.groups_per_token, "Default: 4, or all if fewer")
          ->check(CLI::PositiveNumber));
  add(verb.add_option("--group-score", o.group_score, "How a token picks groups")
          ->check(CLI::IsMember({"best-two", "best-one", "random"}))
          ->capture_default_str());
  add(verb.add_option("--skew", g.skew, "Zipf's exponent of the experts' loads; 0: balanced")
          ->capture_default_str());
  add(verb.add_option("--loads", g.loads, "The experts' loads instead, one each")
          ->delimiter(',')
          ->type_name("L,L,..."));
  add(verb.add_option("--seed", g.seed, "Of the routing")->capture_default_str());
}

void AddExchangeOptions(CLI::App& verb, Options& o) {
  const auto add = [&o](CLI::Option* option) { o.of_exchange.push_back(option); };
  add(verb.add_option("--tokens", o.exchange.tokens, "Tokens of each GPU")->capture_default_str());
  add(verb.add_option("--hidden", o.exchange.hidden, "Elements of a row")->capture_default_str());
  add(verb.add_option("--sms", o.sms, "Numbers of SMs to try, two a channel")
          ->delimiter(',')
          ->type_name("N,N,...")
          ->capture_default_str());
  add(verb.add_option("--precision", o.precision, "Of a dispatch's rows")
          ->check(CLI::IsMember({"fp8", "bf16"}))
          ->capture_default_str());
  add(verb.add_option("--kernels", o.kernels,
                      "DeepEP's first or second version, or its kernels for few tokens, all "
                      "by NIC (as first released) or over NVLink within a node")
          ->check(CLI::IsMember({"v1", "v2", "low-latency", "low-latency-nic"}))
          ->capture_default_str());
  add(verb.add_option("--buffers", o.buffers,
                      "Tokens: NVLink message, ring; network message, ring; default: DeepEP's")
          ->delimiter(',')
          ->expected(4)
          ->type_name("N,N,N,N"));
  add(verb.add_option("--jitter", o.jitter, "Standard deviation of the GPUs' starts, as '1 ms'"));
  add(verb.add_option(
              "--slow-gpu", o.slow_gpus,
              "A GPU and how many times as long its warps take, as '5 x 1.2'; may be repeated")
          ->allow_extra_args(false));
}

}  // namespace

void AddCommVerb(CLI::App& app, int& exit_code) {
  CLI::App* verb =
      app.add_subcommand("comm", "One communication pattern on a fabric: time and bandwidths.");
  const auto o = std::make_shared<Options>();
  verb->add_option("FILE|NAME", o->topology, "A topology file, or the name of a shipped one")
      ->required();
  verb->add_option("--pattern", o->pattern,
                   "dispatch, combine, p2p, all-to-all, all-gather, reduce-scatter or all-reduce")
      ->required();
  verb->add_option("--gpus", o->gpus, "How many take part, from the first on")
      ->check(CLI::Range(2, 1 << 20))
      ->capture_default_str();
  AddExchangeOptions(*verb, *o);
  AddRoutingOptions(*verb, *o);
  o->of_collective.push_back(
      verb->add_option("--size", o->size, "Of a GPU's whole buffer")->capture_default_str());
  o->of_collective.push_back(verb->add_option(
      "--algorithm", o->algorithm, "ring, tree, direct or hierarchical; default: by pattern"));
  verb->add_option("--format", o->format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  verb->add_option("-o,--output", o->output, "Write to this file instead of standard output");
  verb->callback([&exit_code, o] { exit_code = Comm(*o); });
  LeadWithExamples(*verb, kExamples);
}

}  // namespace pipescope::cli
