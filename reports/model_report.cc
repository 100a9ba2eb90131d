#include "reports/model_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "sim/base/quantity.h"
#include "sim/model/activations.h"
#include "sim/model/layout.h"
#include "sim/model/parameters.h"

namespace pipescope::reports {
namespace {

using Json = nlohmann::ordered_json;

struct PassSum {
  double flops = 0;
  double bytes = 0;
};

struct BlockRow {
  std::string name;
  model::BlockWork work;
  int64_t count = 0;
  model::ParameterCount parameters;
  PassSum forward, input_grad, weight_grad;
  model::ActivationBytes activations;
};

const char* Letter(model::Pass pass) {
  return pass == model::Pass::kForward ? "F" : pass == model::Pass::kInputGrad ? "I" : "W";
}

PassSum Sum(const std::vector<model::Phase>& phases) {
  PassSum sum;
  for (const model::Phase& phase : phases) {
    for (const model::Kernel& kernel : phase.kernels) {
      sum.flops += kernel.flops.value();
      sum.bytes += static_cast<double>(kernel.bytes.value());
    }
  }
  return sum;
}

// Layers of one kind, in the order of their first: name, how many, one of them.
std::vector<std::tuple<std::string, int64_t, model::Block>> LayerRows(const model::ModelConfig& m) {
  std::vector<std::tuple<std::string, int64_t, model::Block>> rows;
  std::vector<model::LayerKind> seen;
  for (int i = 0; i < m.layers(); ++i) {
    const model::LayerKind kind = m.KindOf(i);
    const size_t at = static_cast<size_t>(std::find(seen.begin(), seen.end(), kind) - seen.begin());
    if (at == seen.size()) {
      seen.push_back(kind);
      std::string name = kind.moe ? "MoE layer" : "dense layer";
      if (kind.window > 0) name += fmt::format(", {}", kind.window);
      rows.push_back({name, 0, {BlockOf(kind), i}});
    }
    ++std::get<1>(rows[at]);
  }
  return rows;
}

std::vector<BlockRow> Rows(const model::ModelConfig& m, const model::WorkShape& shape) {
  using model::BlockKind;
  std::vector<std::tuple<std::string, int64_t, model::Block>> kinds = LayerRows(m);
  kinds.insert(kinds.begin(), {"embedding", 1, {BlockKind::kEmbedding}});
  if (m.mtp_modules > 0) {
    const BlockKind layer = BlockOf(m.KindOf(-1));
    kinds.push_back({"MTP projection", m.mtp_modules, {BlockKind::kMtpProjection, -1, true}});
    kinds.push_back({"MTP layer", m.mtp_modules, {layer, -1, true}});
    kinds.push_back({"MTP head (shared)", m.mtp_modules, {BlockKind::kHead, -1, true}});
  }
  kinds.push_back({m.tied_embedding ? "head (tied)" : "head", 1, {BlockKind::kHead}});
  std::vector<BlockRow> rows;
  for (const auto& [name, count, block] : kinds) {
    model::BlockWork work = model::WorkOf(m, shape, block);
    const PassSum forward = Sum(work.forward), input_grad = Sum(work.input_grad);
    const PassSum weight_grad = Sum(work.weight_grad);
    rows.push_back({name, std::move(work), count, model::BlockParameters(m, block), forward,
                    input_grad, weight_grad, model::ActivationsOf(m, shape, block)});
  }
  return rows;
}

double Gigaflops(const model::ModelConfig& m, const model::WorkShape& s, bool causal) {
  return model::TrainingFlopsPerToken(m, s.sequence, causal).value() / 1e9;
}

std::string AttentionText(const model::ModelConfig& m) {
  const model::Attention& a = m.attention;
  if (a.latent()) return fmt::format("{} heads of latent attention", a.heads);
  if (a.heads == a.kv_heads) return fmt::format("{} heads of {}", a.heads, a.head_dim);
  return fmt::format("{} heads of {}, {} KV heads", a.heads, a.head_dim, a.kv_heads);
}

std::string ExpertsText(const model::ModelConfig& m) {
  if (m.moe_layers() == 0) return "no experts";
  std::string text =
      fmt::format("{} routed experts, {} a token", m.routed_experts, m.experts_per_token);
  if (m.expert_groups > 1) {
    text += fmt::format(" in at most {} of {} groups", m.groups_per_token, m.expert_groups);
  }
  if (m.shared_intermediate > 0) {
    text += fmt::format(", shared ones {} wide", m.shared_intermediate);
  }
  return text;
}

}  // namespace

std::string ModelText(const model::ModelConfig& m, const model::WorkShape& shape) {
  std::string text = fmt::format(
      "{}: {} parameters, {} of them active for a token (MTP left out)\n"
      "training FLOPs a token at {} tokens: {:.1f} G causal, {:.1f} G non-causal\n"
      "{} layers ({} dense), hidden {}, {}; {}\n\n",
      m.name, FormatCount(static_cast<double>(model::TotalParameters(m))),
      FormatCount(static_cast<double>(model::ActiveParameters(m))), shape.sequence,
      Gigaflops(m, shape, true), Gigaflops(m, shape, false), m.layers(),
      m.layers() - m.moe_layers(), m.hidden, AttentionText(m), ExpertsText(m));
  text +=
      fmt::format("{:<18} {:>5} {:>11} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10} {:>11} {:>11}\n",
                  "of each", "count", "parameters", "F FLOPs", "I FLOPs", "W FLOPs", "F bytes",
                  "I bytes", "W bytes", "kept for B", "kept for W");
  const auto bytes = [](double b) { return Format(Bytes(static_cast<int64_t>(b))); };
  for (const BlockRow& row : Rows(m, shape)) {
    text += fmt::format(
        "{:<18} {:>5} {:>11} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10} {:>11} {:>11}\n", row.name,
        row.count, FormatCount(static_cast<double>(row.parameters.shared + row.parameters.expert)),
        FormatCount(row.forward.flops), FormatCount(row.input_grad.flops),
        FormatCount(row.weight_grad.flops), bytes(row.forward.bytes), bytes(row.input_grad.bytes),
        bytes(row.weight_grad.bytes), Format(row.activations.until_backward),
        Format(row.activations.until_weight_grad));
  }
  return text + fmt::format(
                    "FLOPs and HBM bytes: one sequence of {} tokens in {}, recomputation counted. "
                    "Kept: saved activations until\nthe backward pass, and by an input gradient "
                    "whose weight gradient comes later.\n",
                    shape.sequence, shape.fp8 ? "FP8 (V3's recipe)" : "BF16");
}

std::string KernelsText(const model::ModelConfig& m, const model::WorkShape& shape) {
  std::string text = fmt::format("{}: kernels of one sequence of {} tokens in {}\n", m.name,
                                 shape.sequence, shape.fp8 ? "FP8 (V3's recipe)" : "BF16");
  for (const BlockRow& row : Rows(m, shape)) {
    text += fmt::format("\n{:<26} {:>4} {:>6} {:>8} {:>8} {:>8} {:>10} {:>10}\n", row.name, "pass",
                        "groups", "m", "n", "k", "FLOPs", "bytes");
    for (const auto* phases : {&row.work.forward, &row.work.input_grad, &row.work.weight_grad}) {
      for (const model::Phase& phase : *phases) {
        for (const model::Kernel& kernel : phase.kernels) {
          const bool gemm = kernel.kind == model::KernelKind::kGemm;
          const auto size = [gemm](int64_t n) { return gemm ? fmt::format("{}", n) : ""; };
          text +=
              fmt::format("  {:<24} {:>4} {:>6} {:>8} {:>8} {:>8} {:>10} {:>10}\n", kernel.name,
                          Letter(phase.pass), size(kernel.groups), size(kernel.m), size(kernel.n),
                          size(kernel.k), FormatCount(kernel.flops.value()), Format(kernel.bytes));
        }
      }
    }
  }
  return text;
}

std::string ModelsText(const std::vector<model::ModelConfig>& models) {
  std::string text =
      fmt::format("{:<30} {:>10} {:>9} {:>6} {:>6}  {:<30} {}\n", "model", "parameters", "active",
                  "layers", "hidden", "attention", "experts");
  for (const model::ModelConfig& m : models) {
    text += fmt::format("{:<30} {:>10} {:>9} {:>6} {:>6}  {:<30} {}\n", m.name,
                        FormatCount(static_cast<double>(model::TotalParameters(m))),
                        FormatCount(static_cast<double>(model::ActiveParameters(m))), m.layers(),
                        m.hidden, AttentionText(m), ExpertsText(m));
  }
  return text;
}

std::string ModelsJson(const std::vector<model::ModelConfig>& models) {
  Json out = Json::array();
  for (const model::ModelConfig& m : models) {
    out.push_back({{"model", m.name},
                   {"architecture", m.architecture},
                   {"parameters", model::TotalParameters(m)},
                   {"active_parameters", model::ActiveParameters(m)},
                   {"layers", m.layers()},
                   {"hidden_size", m.hidden}});
  }
  return Json{{"models", std::move(out)}}.dump(2) + "\n";
}

std::string ModelJson(const model::ModelConfig& m, const model::WorkShape& shape) {
  Json blocks = Json::array();
  for (const BlockRow& row : Rows(m, shape)) {
    const auto pass = [](const PassSum& p) { return Json{{"flops", p.flops}, {"bytes", p.bytes}}; };
    blocks.push_back({{"block", row.name},
                      {"count", row.count},
                      {"parameters", row.parameters.shared + row.parameters.expert},
                      {"expert_parameters", row.parameters.expert},
                      {"forward", pass(row.forward)},
                      {"backward_input", pass(row.input_grad)},
                      {"backward_weight", pass(row.weight_grad)},
                      {"kept_until_backward_bytes", row.activations.until_backward.value()},
                      {"kept_until_weight_grad_bytes", row.activations.until_weight_grad.value()}});
  }
  const Json out = {
      {"model", m.name},
      {"parameters", model::TotalParameters(m)},
      {"active_parameters", model::ActiveParameters(m)},
      {"sequence_length", shape.sequence},
      {"training_gigaflops_per_token",
       {{"causal", Gigaflops(m, shape, true)}, {"non_causal", Gigaflops(m, shape, false)}}},
      {"blocks", std::move(blocks)}};
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace pipescope::reports
