#include "cli/model_verb.h"

#include <memory>

#include "cli/examples.h"
#include "cli/verb.h"
#include "reports/model_report.h"
#include "sim/model/config.h"

namespace pipescope::cli {
namespace {

struct ModelOptions {
  std::string name;
  int64_t sequence = 4096;
  std::string precision;
  bool kernels = false;
  std::string format = "text";
  std::string output;
};

int Show(const ModelOptions& o) {
  auto model = model::LoadModel(o.name);
  if (!model) return Complain(model.error());
  if (o.kernels && o.format == "json") return Complain(Error{"--kernels is for --format text"});
  const bool fp8 =
      o.precision.empty() ? model->architecture == "deepseek_v3" : o.precision == "fp8";
  const model::WorkShape shape{o.sequence, o.sequence, 1, fp8};
  return Emit(o.output, o.kernels            ? reports::KernelsText(*model, shape)
                        : o.format == "json" ? reports::ModelJson(*model, shape)
                                             : reports::ModelText(*model, shape));
}

int List(const std::string& format) {
  std::vector<model::ModelConfig> models;
  for (const std::string& name : model::ModelNames()) {
    auto model = model::LoadModel(name);
    if (!model) return Complain(model.error());
    models.push_back(*std::move(model));
  }
  return Emit("", format == "json" ? reports::ModelsJson(models) : reports::ModelsText(models));
}

}  // namespace

void AddModelVerb(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("model", "Models: parameters, FLOPs and bytes by layer.");
  verb->require_subcommand(1);
  CLI::App* list = verb->add_subcommand("list", "Models that the binary carries.");
  const auto list_format = std::make_shared<std::string>("text");
  list->add_option("--format", *list_format, "text (default) or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT");
  list->callback([list_format, &exit_code] { exit_code = List(*list_format); });
  LeadWithExamples(*list, "pipescope model list");
  CLI::App* show = verb->add_subcommand("show", "One model, layer by layer.");
  const auto options = std::make_shared<ModelOptions>();
  show->add_option("model", options->name, "A name of `model list`, or a Hugging Face config.json")
      ->required()
      ->type_name("NAME|config.json");
  show->add_option("--sequence", options->sequence, "Tokens of the sequence counted with")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 24))
      ->type_name("TOKENS");
  show->add_option("--precision", options->precision,
                   "fp8 (DeepSeek-V3's recipe, and its default) or bf16")
      ->check(CLI::IsMember({"fp8", "bf16"}))
      ->type_name("NAME");
  show->add_flag("--kernels", options->kernels, "Every kernel, with the shapes of all GEMMs");
  show->add_option("--format", options->format, "text (default) or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT");
  show->add_option("-o,--output", options->output, "Write there instead of to stdout")
      ->type_name("FILE");
  show->callback([options, &exit_code] { exit_code = Show(*options); });
  LeadWithExamples(*show,
                   "pipescope model show deepseek_v3\n"
                   "pipescope model show my_model/config.json --sequence 8192\n"
                   "pipescope model show mixtral_8x7b --kernels");
  LeadWithExamples(*verb, "pipescope model list\npipescope model show deepseek_v3");
}

}  // namespace pipescope::cli
