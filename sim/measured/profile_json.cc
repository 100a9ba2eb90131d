// Text alone, without a JSON library: the kernels' own binary writes profiles where none is.
#include <fmt/format.h>

#include "sim/base/json_text.h"
#include "sim/measured/profile_file.h"
#include "sim/measured/schema.h"

namespace pipescope::measured {
namespace {

std::string ShapeJson(const Operation& op) {
  std::string text;
  for (const std::string_view name : Dimensions(op.kind)) {
    text += fmt::format("{}\"{}\":{}", text.empty() ? "{" : ",", std::string(name),
                        op.shape.at(std::string(name)));
  }
  return text + "}";
}

std::string OperationJson(const Operation& op) {
  std::string text = fmt::format("{{\"kind\":\"{}\"", Name(op.kind));
  if (HasPass(op.kind)) text += fmt::format(",\"pass\":\"{}\"", Name(op.pass));
  text += fmt::format(
      ",\"dtype\":\"{}\",\"shape\":{},\"sms\":{},\"count\":{},\"mean_s\":{},\"min_s\":{},"
      "\"max_s\":{},\"std_s\":{}",
      Name(op.format), ShapeJson(op), op.sms, op.times.count, op.times.mean.seconds(),
      op.times.least.seconds(), op.times.most.seconds(), op.times.deviation.seconds());
  if (!op.name.empty()) text += ",\"name\":" + JsonQuoted(op.name);
  if (!op.source.empty()) text += ",\"source\":" + JsonQuoted(op.source);
  return text + "}";
}

std::string MachineJson(const Profile& p) {
  std::string text;
  for (const auto& [name, value] : p.machine) {
    text += (text.empty() ? "{" : ",") + JsonQuoted(name) + ":" + JsonQuoted(value);
  }
  return text + "}";
}

}  // namespace

std::string ProfileJson(const Profile& p) {
  std::string text = fmt::format("{{\"schema\": \"{}\",\n\"device\": {}, \"sms\": {},\n", kSchema,
                                 JsonQuoted(p.device), p.sms);
  if (!p.machine.empty()) text += fmt::format("\"machine\": {},\n", MachineJson(p));
  text += "\"operations\": [";
  const char* before = "\n";
  for (const Operation& op : p.operations) {
    text += before + OperationJson(op);
    before = ",\n";
  }
  return text + "\n]}\n";
}

}  // namespace pipescope::measured
