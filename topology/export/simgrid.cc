#include <fmt/format.h>

#include <iterator>

#include "topology/export/export.h"
#include "topology/route.h"

namespace pipescope::topology {
namespace {

std::string Escaped(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '-') {
      out += "&#45;";  // two of them end a comment
    } else {
      out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

void AppendLinks(const LinkTable& links, std::string& xml) {
  auto out = std::back_inserter(xml);
  for (LinkId id = 0; id < links.size(); ++id) {
    const Link link = links[id];
    if (!(link.capacity.value() > 0)) continue;  // dead, or not known
    fmt::format_to(out, "    <link id=\"l{}\" bandwidth=\"{}Bps\" latency=\"{}ps\"/>\n", id,
                   link.capacity.value(), link.latency.picoseconds());
  }
}

void AppendRoutes(const Cluster& cluster, const Router& router, std::string& xml) {
  auto out = std::back_inserter(xml);
  for (int a = 0; a < cluster.gpus(); ++a) {
    for (int b = 0; b < cluster.gpus(); ++b) {
      if (a == b) continue;
      fmt::format_to(out, "    <route src=\"gpu{}\" dst=\"gpu{}\" symmetrical=\"NO\">", a, b);
      for (LinkId id : router.Between(a, b).links) {
        fmt::format_to(out, "<link_ctn id=\"l{}\"/>", id);
      }
      xml += "</route>\n";
    }
  }
}

}  // namespace

Result<std::string> SimGridXml(const Cluster& cluster, int limit) {
  if (cluster.gpus() > limit) {
    return Fail(Error{fmt::format(
        "{} GPUs are {:.3g} routes in SimGrid's XML; at most {} GPUs are "
        "written unless --limit says more",
        cluster.gpus(), static_cast<double>(cluster.gpus()) * (cluster.gpus() - 1), limit)});
  }
  const Router router(cluster);
  for (const std::string& field : cluster.unknown) {
    if (!field.starts_with("node.")) continue;
    return Fail(Error{"is unknown: SimGrid needs it; fill it in", {}, field});
  }
  std::string xml =
      "<?xml version=\"1.0\"?>\n"
      "<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n";
  xml += fmt::format("<!-- {}: {} nodes of {} GPUs; a link is one direction -->\n",
                     Escaped(cluster.name), cluster.nodes, cluster.node.gpus);
  xml +=
      "<platform version=\"4.1\">\n"
      "  <config>\n"
      "    <prop id=\"network/model\" value=\"CM02\"/>\n"
      "    <prop id=\"network/crosstraffic\" value=\"0\"/>\n"
      "    <prop id=\"network/TCP-gamma\" value=\"0\"/>\n"
      "    <prop id=\"network/loopback-lat\" value=\"0\"/>\n"
      "  </config>\n"
      "  <zone id=\"cluster\" routing=\"Full\">\n";
  // SimGrid refuses hosts without a speed; where the file has none 1 flop/s stands there.
  const double speed = cluster.gpu.bf16.value() > 0 ? cluster.gpu.bf16.value() : 1;
  for (int gpu = 0; gpu < cluster.gpus(); ++gpu) {
    xml += fmt::format("    <host id=\"gpu{}\" speed=\"{}f\"/>\n", gpu, speed);
  }
  AppendLinks(router.links(), xml);
  AppendRoutes(cluster, router, xml);
  return xml + "  </zone>\n</platform>\n";
}

}  // namespace pipescope::topology
