#include "cli/kernels_exchange_verb.h"

#include <memory>

#include "cli/examples.h"
#include "cli/verb.h"
#include "kernels/exchange/nodes.h"

namespace pipescope::cli {
namespace {

namespace exchange = kernels::exchange;

constexpr const char* kExamples =
    "mpirun -n 8 pipescope kernels exchange\n"
    "mpirun -n 16 -N 8 pipescope kernels exchange --meet node0:29500 --tokens 4096\n"
    "srun -N 2 --ntasks-per-node 8 pipescope kernels exchange --meet ./job.meet\n"
    "mpirun -n 8 pipescope kernels exchange --way send-recv --sms 24";

struct Options {
  exchange::NodesRequest request = {.config = {.experts = 256, .selected = 8}};
  std::string way = "protocol";
  std::string format = "fp8";
  std::string meet;
  int seconds = 60;
};

int Run(const Options& o) {
  exchange::NodesRequest request = o.request;
  request.way = o.way == "protocol" ? exchange::Way::kProtocol : exchange::Way::kSendRecv;
  request.config.format = o.format == "fp8" ? exchange::Format::kFp8 : exchange::Format::kBf16;
  const auto report = exchange::RunExchangeJob(request, o.meet, Seconds(o.seconds));
  if (!report) return Complain(report.error());
  if (!report->failure.empty()) {
    Complain({report->failure});
    return kCheckFailed;
  }
  return report->text.empty() ? kOk : Emit("", report->text);
}

}  // namespace

void AddKernelsExchangeVerb(CLI::App& kernels, int& exit_code) {
  CLI::App* verb = kernels.add_subcommand(
      "exchange", "Dispatch and combine among a job's GPUs, one process each: right, and fast.");
  const auto o = std::make_shared<Options>();
  exchange::Config& config = o->request.config;
  verb->add_option("--meet", o->meet, "HOST:PORT of rank 0, or a file that all see")
      ->type_name("WHERE");
  verb->add_option("--way", o->way, "protocol, or NCCL's send-recv")
      ->check(CLI::IsMember({"protocol", "send-recv"}))
      ->capture_default_str();
  verb->add_option("--values", o->format, "Of dispatch: fp8 or bf16")
      ->check(CLI::IsMember({"fp8", "bf16"}))
      ->capture_default_str();
  verb->add_option("--tokens", config.tokens, "Of a rank")->capture_default_str();
  verb->add_option("--hidden", config.hidden, "Values of a token")->capture_default_str();
  verb->add_option("--experts", config.experts, "Of all ranks")->capture_default_str();
  verb->add_option("--selected", config.selected, "Experts of a token")->capture_default_str();
  verb->add_option("--sms", config.sms, "SMs that carry it")->capture_default_str();
  verb->add_option("--runs", o->request.runs, "That are timed")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  verb->add_option("--seed", o->request.seed, "Of the inputs")->capture_default_str();
  verb->add_option("--timeout", o->seconds, "Seconds to wait for a rank")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  verb->callback([&exit_code, o] { exit_code = Run(*o); });
  LeadWithExamples(*verb, kExamples);
}

}  // namespace pipescope::cli
