#include <regex>

#include "reports/schedule_svg.h"
#include "reports/schedule_svg_row.h"
#include "reports/schedule_timeline.h"
#include "tests/schedules/testing.h"

namespace pipescope::reports {
namespace {

using schedules::Costs;
using testing::HasSubstr;

SchedulePanel Panel(const std::string& name, schedules::Schedule schedule,
                    const Costs& costs = {}) {
  auto prepared = schedules::Prepare(schedule);
  EXPECT_TRUE(prepared);
  auto timing = Evaluate(*prepared, costs);
  return {name, std::move(schedule), std::move(*prepared), std::move(timing)};
}

SchedulePanel Made(const std::string& name, int ranks, int microbatches) {
  return Panel(name, schedules::MakeSchedule(name, ranks, microbatches));
}

size_t Count(const std::string& text, const std::string& what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++count;
  return count;
}

// Every element that opens closes again, in order; text holds no bare markup.
bool WellFormed(const std::string& svg) {
  std::vector<std::string> open;
  const std::regex tag(
      "<(/?)([a-z]+)((?: [A-Za-z:-]+=\"[^\"<]*\")*)(/?)>|<|&(?!amp;|lt;|gt;|quot;)");
  for (std::sregex_iterator it(svg.begin(), svg.end(), tag), end; it != end; ++it) {
    const std::smatch& m = *it;
    if (m[2].length() == 0) return false;
    if (m[1].length() > 0) {
      if (open.empty() || open.back() != m[2]) return false;
      open.pop_back();
    } else if (m[4].length() == 0) {
      open.push_back(m[2]);
    }
  }
  return open.empty();
}

TEST(ScheduleSvg, DrawsEveryActionOnce) {
  const std::vector<SchedulePanel> panels = {Made("1f1b", 2, 3)};
  const std::string svg = ScheduleSvg(panels, "2 ranks", "costs");
  EXPECT_TRUE(WellFormed(svg));
  EXPECT_EQ(Count(svg, "<title>"), 1u + 12u);
  EXPECT_THAT(svg, HasSubstr("<title>1B0: 2 to 4</title>"));
  EXPECT_THAT(svg, HasSubstr("prefers-color-scheme:dark"));
  for (const char* colour : {"#0072b2", "#e69f00", "#009e73"}) EXPECT_THAT(svg, HasSubstr(colour));
  EXPECT_EQ(svg.find("<script"), svg.npos);
  EXPECT_EQ(Count(svg, "http"), 1u);  // the namespace
}

// 1F0 follows 0F0 on the axis: 1104 pixels are 12 units of time.
TEST(ScheduleSvg, PlacesByTime) {
  const std::string svg = ScheduleSvg({Made("1f1b", 2, 3)}, "", "");
  EXPECT_THAT(svg, HasSubstr("<rect class=\"f\" x=\"84\" y=\"0\" width=\"91.2\" height=\"22\">"
                             "<title>0F0: 0 to 1</title></rect>\n<text class=\"l\" x=\"129.6\""));
  EXPECT_THAT(svg, HasSubstr("<rect class=\"f\" x=\"176\" y=\"0\" width=\"91.2\" height=\"22\">"
                             "<title>1F0: 1 to 2</title></rect>"));
}

TEST(ScheduleSvg, PairsHaveTwoTonesAndTheSecondDirectionIsLighter) {
  const std::string svg = ScheduleSvg({Made("dualpipe", 4, 8)}, "", "");
  EXPECT_TRUE(WellFormed(svg));
  EXPECT_THAT(svg, HasSubstr("overlapped pair"));
  EXPECT_THAT(svg, HasSubstr("lighter: second direction"));
  EXPECT_THAT(svg, HasSubstr("class=\"f1\""));
  EXPECT_THAT(svg, HasSubstr("height=\"11\"><title>(0F3;3B5)OVERLAP_F_B: "));
  const std::string chunks = ScheduleSvg({Made("dualpipev", 4, 8)}, "", "");
  EXPECT_THAT(chunks, HasSubstr("lighter: every other stage of a rank"));
  EXPECT_EQ(ScheduleSvg({Made("gpipe", 2, 2)}, "", "").find("lighter"), std::string::npos);
}

TEST(ScheduleSvg, SeveralShareOneAxis) {
  const std::string svg = ScheduleSvg({Made("1f1b", 4, 8), Made("zb-h1", 4, 8)}, "", "");
  EXPECT_TRUE(WellFormed(svg));
  // Idle ground up to the own makespan: 33 is the whole width, 27 its share.
  EXPECT_EQ(Count(svg, "<rect class=\"n\" x=\"84\" y=\"0\" width=\"1104\""), 4u);
  EXPECT_EQ(Count(svg, "<rect class=\"n\" x=\"84\" y=\"0\" width=\"903.27\""), 4u);
}

TEST(ScheduleSvg, TextIsEscaped) {
  EXPECT_EQ(EscapeXmlText("a<b>&\"c\"\x01"), "a&lt;b&gt;&amp;&quot;c&quot;?");
  EXPECT_EQ(EscapeXmlText("gr\xC3\xB6\xC3\x9F"), "gr\xC3\xB6\xC3\x9F");
  EXPECT_EQ(EscapeXmlText("\xFF\xC3(\xED\xA0\x80\xC0\xAF"),
            std::string(2, '?') + "(" + std::string(5, '?'));
  auto panel = Made("gpipe", 2, 2);
  panel.name = "</text><script>alert(1)</script>&.csv";
  const std::string svg = ScheduleSvg({panel}, "<&", "\"");
  EXPECT_TRUE(WellFormed(svg));
  EXPECT_EQ(svg.find("<script"), svg.npos);
}

TEST(ScheduleSvg, HugeSchedulesStaySmall) {
  const std::string many = ScheduleSvg({Made("1f1b", 300, 900)}, "", "");
  EXPECT_LT(many.size(), 8'000'000u);
  EXPECT_TRUE(many.ends_with("</g>\n</svg>\n") || many.ends_with("</text>\n</svg>\n"));
  EXPECT_THAT(many, HasSubstr("ranks 256 to 299 are not shown"));
  const std::string lone = ScheduleSvg({Made("gpipe", 2, 200'000)}, "", "");
  EXPECT_LT(lone.size(), 1'000'000u);
  EXPECT_LT(Count(lone, "<rect"), 8'000u);
}

// Nothing that has no length is drawn, and no length at all is no trouble.
TEST(ScheduleSvg, ZeroCosts) {
  Costs costs;
  costs.forward = {0};
  costs.input_grad = {0};
  costs.weight_grad = {0};
  const std::string svg =
      ScheduleSvg({Panel("1f1b", schedules::MakeSchedule("1f1b", 2, 3), costs)}, "", "");
  EXPECT_TRUE(WellFormed(svg));
  EXPECT_EQ(svg.find("nan"), svg.npos);
  EXPECT_EQ(svg.find("inf"), svg.npos);
}

TEST(SvgRow, JoinsWhatIsNarrow) {
  const SchedulePanel panel = Panel("csv", schedules::FromCsv("0F0,0B0,0F1,0B1\n"));
  const SvgTint tint(panel.schedule);
  const SvgScale scale{.left = 0, .scale = 0.25, .least = 1, .height = 20, .named = false};
  EXPECT_EQ(SvgRow(panel, 0, tint, scale),
            "<rect class=\"f\" x=\"0\" y=\"0\" width=\"1\" height=\"10\"/>\n"
            "<rect class=\"b\" x=\"0\" y=\"10\" width=\"1\" height=\"10\"/>\n"
            "<rect class=\"b\" x=\"1\" y=\"0\" width=\"0.5\" height=\"20\"/>\n");
}

// A rank that waits between its actions; the ground of its columns shows for as long.
TEST(SvgRow, JoinedColumnsLeaveIdleTimeOpen) {
  const SchedulePanel panel =
      Panel("csv", schedules::FromCsv("0F0,0F1,0B0,0B1\n1F0,1B0,1F1,1B1\n"));
  const SvgTint tint(panel.schedule);
  const SvgScale scale{.left = 0, .scale = 0.1, .least = 1, .height = 20, .named = false};
  // 0F0 0F1, two units idle, 0B0, one idle, 0B1: 2 and 4 of 9.
  EXPECT_EQ(SvgRow(panel, 0, tint, scale),
            "<rect class=\"f\" x=\"0\" y=\"0\" width=\"0.9\" height=\"4.44\"/>\n"
            "<rect class=\"b\" x=\"0\" y=\"4.44\" width=\"0.9\" height=\"8.89\"/>\n");
}

TEST(TimelinesText, StacksAtOneScale) {
  EXPECT_EQ(TimelinesText({Made("1f1b", 2, 2), Made("zb-h1", 2, 2)}),
            "time      0        3        6\n"
            "\n1f1b: makespan 9, bubble 33.3 %, peak activations 2\n"
            "rank 0    F0 F1 ......B0--- ...B1---\n"
            "rank 1    ...F0 B0--- F1 B1--- ......\n"
            "\nzb-h1: makespan 7, bubble 14.3 %, peak activations 2\n"
            "rank 0    F0 F1 ...I0 W0 I1 W1\n"
            "rank 1    ...F0 I0 F1 I1 W0 W1\n");
}

}  // namespace
}  // namespace pipescope::reports
