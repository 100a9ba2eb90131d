#include "cli/topology_verb.h"

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "cli/examples.h"
#include "cli/verb.h"
#include "reports/topology_json.h"
#include "reports/topology_text.h"
#include "sim/base/file.h"
#include "topology/export/export.h"
#include "topology/import/import.h"
#include "topology/load.h"

namespace pipescope::cli {
namespace {

constexpr const char* kExamples =
    "  pipescope topology list\n"
    "  pipescope topology show h800_2048_fat_tree\n"
    "  pipescope topology show my_cluster.yaml --format json -o my_cluster.json\n"
    "  pipescope topology check my_cluster.yaml && echo it can be built\n"
    "  pipescope topology import nccl_topo.xml -o node.yaml\n"
    "  pipescope topology import ibnetdiscover.out --node node.yaml -o cluster.yaml\n"
    "  pipescope topology export cluster.yaml --to simgrid -o platform.xml\n";

constexpr const char* kListExamples = "  pipescope topology list --format json\n";

constexpr const char* kShowExamples =
    "  pipescope topology show h800_2048_multi_plane\n"
    "  pipescope topology show my_cluster.yaml --format json\n";

constexpr const char* kCheckExamples =
    "  pipescope topology check my_cluster.yaml\n"
    "\n"
    "Exits with 0 where the file describes a cluster that can be built, with 1 and the reason\n"
    "where it does not, with 2 where it cannot be read as YAML or JSON.\n";

constexpr const char* kImportExamples =
    "  pipescope topology import dgx_topo.xml -o node.yaml\n"
    "  nvidia-smi topo -m | pipescope topology import /dev/stdin --gpu 'H100 SXM5 80 GB' -o "
    "n.yaml\n"
    "  pipescope topology import dgx_topo.xml --fabric h100_dgx_pod --nodes 64 -o cluster.yaml\n"
    "  pipescope topology import ibnetdiscover.out --node node.yaml -o cluster.yaml\n"
    "\n"
    "One node comes from NCCL's XML (NCCL_TOPO_DUMP_FILE) or nvidia-smi's matrix, a fabric from\n"
    "ibnetdiscover. What the source does not tell is `unknown` in the file: fill it in before\n"
    "`simulate`; `show`, `check` and `export` need it not.\n";

constexpr const char* kExportExamples =
    "  pipescope topology export my_cluster.yaml --to simgrid -o platform.xml\n"
    "  pipescope topology export h100_dgx_pod --to dot -o pod.dot && dot -Tsvg pod.dot -o "
    "pod.svg\n";

struct Options {
  std::string input;
  std::string to;
  int limit = 0;
  topology::ImportOptions import;
  std::string format = "text";
  std::string output;
};

void AddFormat(CLI::App* verb, const std::shared_ptr<Options>& options) {
  verb->add_option("--format", options->format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  verb->add_option("-o,--output", options->output, "Write to this file instead of standard output");
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

int Import(const Options& options) {
  auto text = ReadFile(options.input);
  if (!text) return Complain(text.error());
  auto imported = topology::ImportTopology(*text, options.input, options.import);
  if (!imported) return Complain(imported.error());
  for (const std::string& note : imported->notes) {
    std::fprintf(stderr, "pipescope: note: %s\n", note.c_str());
  }
  return Emit(options.output, imported->yaml);
}

int Export(const Options& options) {
  auto cluster = topology::LoadCluster(options.input);
  if (!cluster) return Complain(cluster.error());
  const bool dot = options.to == "dot";
  const int limit = options.limit > 0 ? options.limit
                    : dot             ? topology::kDotBoxes
                                      : topology::kSimGridGpus;
  auto text = dot ? topology::Dot(*cluster, limit) : topology::SimGridXml(*cluster, limit);
  if (!text) return Complain(text.error());
  return Emit(options.output, *text);
}

void AddImport(CLI::App& verb, const std::shared_ptr<Options>& options, int& exit_code) {
  CLI::App* import = verb.add_subcommand(
      "import", "Makes a topology file of what a machine or a network says of itself.");
  import->add_option("FILE", options->input, "NCCL's XML, nvidia-smi's matrix, or ibnetdiscover's")
      ->required();
  import->add_option("--from", options->import.from, "nccl, nvidia-smi or ibnetdiscover")
      ->check(CLI::IsMember(topology::ImportSources()));
  import->add_option("--gpu", options->import.gpu, "The GPU, where the file does not name it");
  import->add_option("--node", options->import.node,
                     "With ibnetdiscover: the topology that gives gpu and node");
  CLI::Option* fabric = import->add_option("--fabric", options->import.fabric,
                                           "With a node: the topology that gives the fabric");
  import->add_option("--nodes", options->import.nodes, "With --fabric: how many nodes")
      ->check(CLI::Range(1, 1'000'000))
      ->needs(fabric);
  import->add_option("-o,--output", options->output,
                     "Write to this file instead of standard output");
  LeadWithExamples(*import, kImportExamples);
  import->callback([&exit_code, options] { exit_code = Import(*options);
});
}  // namespace

void AddExport(CLI::App& verb, const std::shared_ptr<Options>& options, int& exit_code) {
  CLI::App* out = verb.add_subcommand("export", "Writes a cluster for SimGrid or Graphviz.");
  out->add_option("FILE|NAME", options->input, "A topology file, or the name of a shipped one")
      ->required();
  out->add_option("--to", options->to, "simgrid or dot")
      ->required()
      ->check(CLI::IsMember({"simgrid", "dot"}));
  out->add_option("--limit", options->limit, "The most GPUs (simgrid) or boxes (dot) to write")
      ->check(CLI::Range(1, 1'000'000));
  out->add_option("-o,--output", options->output, "Write to this file instead of standard output");
  LeadWithExamples(*out, kExportExamples);
  out->callback([&exit_code, options] { exit_code = Export(*options); });
}

}  // namespace pipescope::cli

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
  AddImport(*verb, options, exit_code);
  AddExport(*verb, options, exit_code);
  LeadWithExamples(*verb, kExamples);
}

}  // namespace pipescope::cli
