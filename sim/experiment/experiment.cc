#include "sim/experiment/experiment.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "sim/base/fields.h"
#include "sim/experiment/fit.h"
#include "topology/check.h"
#include "topology/load.h"

namespace pipescope {
namespace {

constexpr int64_t kMostRanks = 1 << 16;
constexpr int64_t kMostSplit = 1 << 8;  // GPUs that split a layer or a sequence

// A path counts from the experiment's folder; a bare word is a name the binary may carry.
std::string Resolve(const std::string& file, const std::string& written) {
  if (written.find_first_of("./") == std::string::npos || written.starts_with('/')) return written;
  return (std::filesystem::path(file).parent_path() / written).lexically_normal().string();
}

void ReadPlan(Fields& root, Experiment& e) {
  Fields p = root.Object("parallel");
  e.parallel.pipeline = static_cast<int>(p.Integer("pipeline", 1, kMostRanks));
  e.places.pipeline = p.Where("pipeline");
  e.places.expert = p.Where("expert");
  e.parallel.chunks = static_cast<int>(p.Integer("chunks", 0, kMostRanks, 0));
  e.places.chunks = p.Where("chunks");
  e.parallel.data = static_cast<int>(p.Integer("data", 1, kMostRanks, 1));
  e.parallel.expert = static_cast<int>(p.Integer("expert", 1, kMostRanks, 1));
  e.parallel.zero_stage = static_cast<int>(p.Integer("zero_stage", 0, 1, 1));
  e.parallel.tensor = static_cast<int>(p.Integer("tensor", 1, kMostSplit, 1));
  e.parallel.context = static_cast<int>(p.Integer("context", 1, kMostSplit, 1));
  if (p.Choice("context_exchange", {"all_to_all", "all_gather"}, "all_to_all") == "all_gather") {
    e.parallel.exchange = model::ContextExchange::kAllGather;
  }
  if (e.parallel.gpus_per_rank() % e.parallel.expert != 0) {
    const ParallelPlan& plan = e.parallel;
    const bool split = plan.context * plan.tensor > 1;
    p.Note("expert",
           fmt::format("{} does not divide {} = {}: expert groups lie inside {}", plan.expert,
                       split ? "data x context x tensor" : "data", plan.gpus_per_rank(),
                       split ? "a pipeline rank" : "the data-parallel group"));
  }
}

model::Recompute ReadRecompute(Fields& t) {
  const std::string choice =
      t.Choice("recompute", {"deepseek_v3", "none", "selective", "full"}, "deepseek_v3");
  if (choice == "none") return model::Recompute::kNone;
  if (choice == "selective") return model::Recompute::kSelective;
  return choice == "full" ? model::Recompute::kFull : model::Recompute::kDeepseekV3;
}

void ReadTraining(Fields& root, Experiment& e) {
  Fields t = root.Object("training");
  e.training.sequence_length = t.Integer("sequence_length", 1, int64_t{1} << 24);
  e.training.micro_batch_size = t.Integer("micro_batch_size", 1, 1 << 16, 1);
  e.training.global_batch = t.Integer("global_batch", 1, int64_t{1} << 32);
  e.training.fp8 = t.Choice("precision", {"fp8", "bf16"}) == "fp8";
  e.training.recompute = ReadRecompute(t);
  e.training.separate_passes =
      t.Choice("gradient_passes", {"fused", "separate"}, "fused") == "separate";
  e.training.fused_gradients =
      t.Choice("gradient_accumulation", {"fused", "separate"}, "fused") == "fused";
  e.training.unfused_attention = t.Choice("attention", {"fused", "unfused"}, "fused") == "unfused";
  e.training.deferred_head =
      t.Choice("head_weight_grad", {"with_input", "deferred"}, "with_input") == "deferred";
  e.places.global_batch = t.Where("global_batch");
  const int64_t sequences = e.parallel.data * e.training.micro_batch_size;
  if (e.training.global_batch % sequences != 0) {
    t.Note("global_batch",
           fmt::format("{} sequences do not divide into data x micro_batch_size = "
                       "{} x {}",
                       e.training.global_batch, e.parallel.data, e.training.micro_batch_size));
  }
}

void ReadWhatIfs(Fields& root, Experiment& e) {
  Fields w = root.OptionalObject("what_if");
  e.what_if = ReadWhatIf(w);
  for (const auto& [gpu, times] : e.what_if.slow_gpus) {
    if (gpu < e.gpus()) continue;
    w.Note("slow_gpus",
           fmt::format("GPU {} is not among the {} that the plan uses", gpu, e.gpus()));
  }
}

void ReadCommunication(Fields& root, Experiment& e) {
  Fields c = root.OptionalObject("communication");
  e.communication.sms = static_cast<int>(c.Integer("sms", 1, 4096, 20));
  e.communication.overlap_gradients = c.Boolean("overlap_gradients", true);
  e.communication.overlap_parameters = c.Boolean("overlap_parameters", false);
  e.communication.overlap_messages = c.Boolean("overlap_messages", true);
  e.communication.overlap_tensor = c.Boolean("overlap_tensor", true);
  e.communication.deduplicate =
      c.Choice("dispatcher", {"deduplicated", "all_to_all"}, "deduplicated") == "deduplicated";
  e.communication.fp32_gradients =
      c.Choice("gradient_precision", {"fp32", "bf16"}, "fp32") == "fp32";
  const std::vector<std::string> paths = {"destination",  "hash",    "spread",
                                          "least_loaded", "valiant", "adaptive"};  // as in Paths
  const std::string choice = c.Choice("paths", paths, paths.front());
  const auto at = std::find(paths.begin(), paths.end(), choice) - paths.begin();
  e.communication.paths = static_cast<Paths>(at % static_cast<int64_t>(paths.size()));
  e.communication.to_rail = c.Boolean("to_rail", true);
  e.communication.paths_seed = c.Integer("paths_seed", 0, int64_t{1} << 62, 0);
  const int sms = e.cluster.gpu.sms;
  if (sms > 0 && e.communication.sms >= sms) {
    c.Note("sms", fmt::format("{} leave none of the GPU's {} SMs for computation",
                              e.communication.sms, sms));
  }
}

void ReadMemory(Fields& root, Experiment& e) {
  Fields m = root.OptionalObject("memory");
  e.reserved = m.GetBytes("reserved", Bytes(int64_t{4} << 30));
  e.enforce_memory = m.Boolean("enforce", true);
  e.held_microbatches = m.Integer("microbatches", 0, int64_t{1} << 32, 0);
}

// An error of a file that the experiment names, with the place that names it.
Error Referred(const Fields& root, const std::string& field, const Error& error) {
  if (!error.where.file.empty()) return error;
  return {error.message, root.Where(field), field};
}

}  // namespace

model::WorkShape Experiment::shape() const {
  return {tokens_per_microbatch() / parallel.context,
          training.sequence_length,
          parallel.expert,
          training.fp8,
          training.recompute,
          parallel.tensor,
          parallel.context,
          parallel.exchange,
          !communication.deduplicate,
          training.fused_gradients,
          training.unfused_attention,
          training.deferred_head};
}

std::vector<std::shared_ptr<const costs::Source>> Experiment::sources() const {
  std::vector<std::shared_ptr<const costs::Source>> all;
  if (profile != nullptr) all.push_back(profile);
  if (measured != nullptr) all.push_back(measured);
  return all;
}

namespace {

Status SetValues(Document& document, const std::vector<std::string>& overrides) {
  for (const std::string& override : overrides) {
    const size_t equals = override.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Fail(
          fmt::format("--set '{}': expected path=value, such as communication.sms=24", override));
    }
    auto set = SetValue(document, override.substr(0, equals), override.substr(equals + 1));
    if (!set) return Fail(set.error());
  }
  return {};
}

// What the experiment says by naming another file, or one of ours.
Status LoadModelAndTopology(Fields& root, const std::string& model_name, Experiment& e) {
  if (!model_name.empty()) {
    auto model = model::LoadModel(Resolve(e.file, model_name));
    if (!model) return Fail(Referred(root, "model", model.error()));
    e.model = *model;
  }
  if (!e.topology.empty()) {
    auto cluster = topology::LoadCluster(Resolve(e.file, e.topology));
    if (!cluster) return Fail(Referred(root, "topology", cluster.error()));
    if (auto known = topology::CheckKnown(*cluster); !known) {
      return Fail(Referred(root, "topology", known.error()));
    }
    e.cluster = *cluster;
  }
  return {};
}

// Measured costs are of a GPU: without a topology there is nothing to hold them to.
Status LoadMeasured(Fields& root, const std::string& profile, const std::string& measured,
                    Experiment& e) {
  if (e.cluster.gpu.sms == 0) return {};
  if (!profile.empty()) {
    auto source =
        costs::ProfileSource::Load(Resolve(e.file, profile), e.cluster.gpu, e.efficiencies);
    if (!source) return Fail(Referred(root, "costs", source.error()));
    e.profile = std::make_shared<const costs::ProfileSource>(*std::move(source));
  }
  if (!measured.empty()) {
    auto file = costs::EfficiencyFile::Load(Resolve(e.file, measured), e.cluster.gpu.sms);
    if (!file) return Fail(Referred(root, "costs", file.error()));
    e.measured = std::make_shared<const costs::EfficiencyFile>(*std::move(file));
  }
  return {};
}

}  // namespace

Result<Experiment> LoadExperiment(const std::string& path,
                                  const std::vector<std::string>& overrides) {
  auto document = LoadDocument(path);
  if (!document) return Fail(document.error());
  if (auto set = SetValues(*document, overrides); !set) return Fail(set.error());
  Reader reader(*document);
  Fields root = reader.Root();
  Experiment e;
  e.file = path;
  e.overrides = overrides;
  e.name = root.String("name");
  const std::string model_name = root.String("model");
  e.topology = root.String("topology");
  e.schedule = root.String("schedule", "1f1b");
  e.places.schedule = root.Where("schedule");
  e.places.layouts = root.Where("layouts");
  if (root.Has("layouts")) e.layouts = root.Strings("layouts");
  ReadPlan(root, e);
  ReadTraining(root, e);
  ReadMemory(root, e);
  Fields prices = root.OptionalObject("costs");
  const std::string measured = prices.String("efficiency_file", "");
  const std::string profile = prices.String("profile", "");
  const std::optional<StageTimes> stage_times = ReadStageTimes(prices);
  e.costs_read = {profile, measured, stage_times};
  e.efficiencies = costs::ReadEfficiencies(prices);
  if (auto ok = LoadModelAndTopology(root, model_name, e); !ok) return Fail(ok.error());
  if (auto ok = LoadMeasured(root, profile, measured, e); !ok) return Fail(ok.error());
  ReadCommunication(root, e);
  ReadWhatIfs(root, e);
  if (stage_times) {
    CheckStageTimes(prices, e);
    CheckStageTimesHold(prices, overrides);
  }
  if (!model_name.empty() && !e.topology.empty()) CheckFit(root, e);
  if (auto ok = reader.Finish(); !ok) return Fail(ok.error());
  if (stage_times) e.stage_scale = ScaleOf(e, *stage_times);
  return e;
}

}  // namespace pipescope
