#include "sim/experiment/experiment.h"

#include <fmt/format.h>

#include <filesystem>

#include "sim/base/fields.h"
#include "topology/check.h"
#include "topology/load.h"

namespace pipescope {
namespace {

constexpr int64_t kMostRanks = 1 << 16;

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
  e.parallel.data = static_cast<int>(p.Integer("data", 1, kMostRanks, 1));
  e.parallel.expert = static_cast<int>(p.Integer("expert", 1, kMostRanks, 1));
  e.parallel.zero_stage = static_cast<int>(p.Integer("zero_stage", 0, 1, 1));
  if (e.parallel.data % e.parallel.expert != 0) {
    p.Note("expert", fmt::format("{} does not divide data = {}: expert groups lie inside the "
                                 "data-parallel group",
                                 e.parallel.expert, e.parallel.data));
  }
}

void ReadTraining(Fields& root, Experiment& e) {
  Fields t = root.Object("training");
  e.training.sequence_length = t.Integer("sequence_length", 1, int64_t{1} << 24);
  e.training.micro_batch_size = t.Integer("micro_batch_size", 1, 1 << 16, 1);
  e.training.global_batch = t.Integer("global_batch", 1, int64_t{1} << 32);
  e.training.fp8 = t.Choice("precision", {"fp8", "bf16"}) == "fp8";
  e.training.recompute =
      t.Choice("recompute", {"deepseek_v3", "none"}, "deepseek_v3") == "deepseek_v3";
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
  e.communication.fp32_gradients =
      c.Choice("gradient_precision", {"fp32", "bf16"}, "fp32") == "fp32";
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
}

void CheckFit(Fields& root, const Experiment& e) {
  if (e.gpus() > e.cluster.gpus()) {
    root.Note("parallel", fmt::format("pipeline x data = {} x {} = {} GPUs do not fit: the "
                                      "topology '{}' has {}",
                                      e.parallel.pipeline, e.parallel.data, e.gpus(),
                                      e.cluster.name, e.cluster.gpus()));
  }
  if (e.parallel.pipeline > e.model.layers()) {
    root.Note("parallel", fmt::format("pipeline = {} does not fit: the model '{}' has {} layers, "
                                      "and a stage needs one",
                                      e.parallel.pipeline, e.model.name, e.model.layers()));
  }
  if (e.training.fp8 && e.cluster.gpu.fp8.value() <= 0) {
    root.Note("training", fmt::format("precision fp8: the topology's GPU '{}' has no FP8 rate",
                                      e.cluster.gpu.name));
  }
}

// An error of a file that the experiment names, with the place that names it.
Error Referred(const Fields& root, const std::string& field, const Error& error) {
  if (!error.where.file.empty()) return error;
  return {error.message, root.Where(field), field};
}

}  // namespace

model::WorkShape Experiment::shape() const {
  return {tokens_per_microbatch(), training.sequence_length, parallel.expert, training.fp8,
          training.recompute};
}

Result<Experiment> LoadExperiment(const std::string& path,
                                  const std::vector<std::string>& overrides) {
  auto document = LoadDocument(path);
  if (!document) return Fail(document.error());
  for (const std::string& override : overrides) {
    const size_t equals = override.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Fail(
          fmt::format("--set '{}': expected path=value, such as communication.sms=24", override));
    }
    auto set = SetValue(*document, override.substr(0, equals), override.substr(equals + 1));
    if (!set) return Fail(set.error());
  }
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
  e.efficiencies = costs::ReadEfficiencies(root.OptionalObject("costs"));
  if (!model_name.empty()) {
    auto model = model::LoadModel(Resolve(path, model_name));
    if (!model) return Fail(Referred(root, "model", model.error()));
    e.model = *model;
  }
  if (!e.topology.empty()) {
    auto cluster = topology::LoadCluster(Resolve(path, e.topology));
    if (!cluster) return Fail(Referred(root, "topology", cluster.error()));
    if (auto known = topology::CheckKnown(*cluster); !known) {
      return Fail(Referred(root, "topology", known.error()));
    }
    e.cluster = *cluster;
  }
  ReadCommunication(root, e);
  ReadWhatIfs(root, e);
  if (!model_name.empty() && !e.topology.empty()) CheckFit(root, e);
  if (auto ok = reader.Finish(); !ok) return Fail(ok.error());
  return e;
}

}  // namespace pipescope
