#include "cli/topology_verb.h"

#include <memory>
#include <string>
#include <vector>

#include "cli/examples.h"
#include "cli/verb.h"
#include "reports/topology_json.h"
#include "reports/topology_text.h"
#include "topology/load.h"

namespace pipescope::cli {
namespace {

constexpr const char* kExamples =
    "  pipescope topology list\n"
    "  pipescope topology show h800_2048_fat_tree\n"
    "  pipescope topology show my_cluster.yaml --format json -o my_cluster.json\n"
    "  pipescope topology check my_cluster.yaml && echo it can be built\n";

constexpr const char* kListExamples = "  pipescope topology list --format json\n";

constexpr const char* kShowExamples =
    "  pipescope topology show h800_2048_multi_plane\n"
    "  pipescope topology show my_cluster.yaml --format json\n";

constexpr const char* kCheckExamples =
    "  pipescope topology check my_cluster.yaml\n"
    "\n"
    "Exits with 0 where the file describes a cluster that can be built, with 1 and the reason\n"
    "where it does not, with 2 where it cannot be read as YAML or JSON.\n";

struct Options {
  std::string input;
  std::string format = "text";
  std::string output;
};

void AddFormat(CLI::App* verb, const std::shared_ptr<Options>& options) {
  verb->add_option("--format", options->format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  verb->add_option("-o", options->output, "Write to this file instead of standard output");
}

int List(const Options& options) {
  std::vector<reports::NamedCluster> clusters;
  for (const std::string& name : topology::ShippedClusters()) {
    auto cluster = topology::LoadCluster(name);
    if (!cluster) return Complain(cluster.error());
    clusters.push_back({name, *cluster});
  }
  return Emit(options.output, options.format == "json" ? reports::TopologyListJson(clusters)
                                                       : reports::TopologyListText(clusters));
}

int Show(const Options& options) {
  auto cluster = topology::LoadCluster(options.input);
  if (!cluster) return Complain(cluster.error());
  return Emit(options.output, options.format == "json" ? reports::TopologyJson(*cluster)
                                                       : reports::TopologyText(*cluster));
}

int Check(const Options& options) {
  auto document = topology::LoadClusterDocument(options.input);
  if (!document) return Complain(document.error());
  auto cluster = topology::ParseCluster(*document);
  if (!cluster) {
    Complain(cluster.error());
    return kCheckFailed;
  }
  return Emit("", options.input + ": ok: " + reports::TopologyLine(*cluster) + "\n");
}

}  // namespace

void AddTopologyVerb(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand(
      "topology", "Clusters: GPUs, nodes, fabrics, and the routes between GPUs.");
  verb->require_subcommand(1);
  auto options = std::make_shared<Options>();

  CLI::App* list = verb->add_subcommand("list", "Lists the shipped topologies.");
  AddFormat(list, options);
  LeadWithExamples(*list, kListExamples);
  list->callback([&exit_code, options] { exit_code = List(*options); });

  CLI::App* show = verb->add_subcommand("show", "Prints counts, bisection, and sample routes.");
  show->add_option("FILE|NAME", options->input, "A topology file, or the name of a shipped one")
      ->required();
  AddFormat(show, options);
  LeadWithExamples(*show, kShowExamples);
  show->callback([&exit_code, options] { exit_code = Show(*options); });

  CLI::App* check =
      verb->add_subcommand("check", "Says whether the cluster of a file can be built.");
  check->add_option("FILE", options->input, "A topology file, or the name of a shipped one")
      ->required();
  LeadWithExamples(*check, kCheckExamples);
  check->callback([&exit_code, options] { exit_code = Check(*options); });
  LeadWithExamples(*verb, kExamples);
}

}  // namespace pipescope::cli
