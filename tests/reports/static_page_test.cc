#include "reports/static_page.h"

#include <gtest/gtest.h>

namespace pipescope::reports {
namespace {

using Json = nlohmann::ordered_json;

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(StaticPage, TellsSchedules) {
  const Json data = {{"results",
                      {{{"label", "1F1B"},
                        {"step_time_s", 25.61},
                        {"mfu", {{"causal", 0.304}}},
                        {"fits", false}}}},
                     {"command", "pipescope compare a.yaml"}};
  const std::string html = StaticTables(data);
  EXPECT_TRUE(Has(html, "<td>1F1B</td><td>25.61 s</td>")) << html;
  EXPECT_TRUE(Has(html, "<td>30.4 %</td>"));
  EXPECT_TRUE(Has(html, "does not fit"));
  EXPECT_TRUE(Has(html, "<code>pipescope compare a.yaml</code>"));
}

TEST(StaticPage, TellsPointsAndWhyOneIsRefused) {
  const Json data = {{"fields", {"communication.sms"}},
                     {"points",
                      {{"values", {{"8"}, {"9"}}},
                       {"status", {0, 2}},
                       {"front", {1, 0}},
                       {"reason", {-1, 0}},
                       {"step_time_s", {2.5, nullptr}}}},
                     {"reasons", {"9 is odd"}}};
  const std::string html = StaticTables(data);
  EXPECT_TRUE(Has(html, "<td>8</td><td>2.500 s</td>")) << html;
  EXPECT_TRUE(Has(html, "on the front"));
  EXPECT_TRUE(Has(html, "<td>9 is odd</td>"));
}

// A name is never markup, wherever it comes from.
TEST(StaticPage, EscapesEveryText) {
  const std::string evil = "<img src=x onerror=alert(1)>&";
  const Json data = {
      {"results", {{{"label", evil}, {"bound_by", evil}, {"attribution", {{{"kind", evil}}}}}}},
      {"highlights", {{{"label", evil}, {"value", evil}, {"note", evil}}}},
      {"assumptions", {{{"name", evil}, {"value", evil}, {"source", evil}}}},
      {"fields", {evil}},
      {"points", {{"values", {{evil}}}, {"reason", {0}}}},
      {"reasons", {evil}},
      {"pruned", {{{"what", evil}, {"count", 1}, {"explain", evil}}}},
      {"validation", {{{"schedule", evil}}}},
      {"why", evil},
      {"command", evil}};
  const std::string html = StaticTables(data);
  EXPECT_FALSE(Has(html, "<img"));
  EXPECT_TRUE(Has(html, "&lt;img src=x onerror=alert(1)>&amp;"));
}

// A stored result may hold anything: what makes no sense is left out.
TEST(StaticPage, TakesForeignData) {
  for (const Json& odd : {Json(), Json(3), Json("text"), Json::array({1, nullptr}), Json{{"a", 1}},
                          Json::array({Json::object(), "x"})}) {
    const Json data = {{"results", odd},    {"highlights", odd}, {"assumptions", odd},
                       {"fields", odd},     {"points", odd},     {"reasons", odd},
                       {"validation", odd}, {"pruned", odd},     {"why", odd}};
    EXPECT_TRUE(Has(StaticTables(data), "Reproduce"));
    const Json deeper = {{"results", {{{"label", odd}, {"mfu", odd}, {"memory_bytes", odd}}}},
                         {"points", {{"values", odd}, {"reason", odd}, {"step_time_s", odd}}}};
    EXPECT_TRUE(Has(StaticTables(deeper), "Reproduce"));
  }
  EXPECT_TRUE(
      Has(StaticTables({{"results", {{{"label", "a"}, {"step_time_s", 1e300}}}}}), "1e+300 s"));
}

}  // namespace
}  // namespace pipescope::reports
