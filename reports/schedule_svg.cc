#include "reports/schedule_svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "reports/schedule_svg_row.h"
#include "sim/base/quantity.h"

namespace pipescope::reports {
namespace {

constexpr double kWidth = 1280, kLeft = 84, kRight = 92;
constexpr double kPlot = kWidth - kLeft - kRight;
constexpr double kHead = 108;         // title, assumptions and legend
constexpr double kPanelHead = 28;     // a panel's name and figures
constexpr double kPanelGap = 22;      // below a panel
constexpr double kAxis = 44;          // below the last panel
constexpr double kRowsHeight = 1400;  // all rows together, where they may be that low
constexpr double kMostTooltips = 5000;

constexpr const char* kStyle = R"(<style>
text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
rect{shape-rendering:crispEdges}
.bg{fill:#ffffff}.t{fill:#1b1f24}.d{fill:#59636e}.n{fill:#e4e6e9}.g{stroke:#d5d9de}
.f{fill:#0072b2}.b{fill:#e69f00}.w{fill:#009e73}
.f1{fill:#7cb9dd}.b1{fill:#f5d27f}.w1{fill:#7fceb9}
.k{fill:#14181d;text-anchor:middle}.l{fill:#ffffff;text-anchor:middle}
.e{text-anchor:end}.m{text-anchor:middle}.s{font-weight:600}
@media (prefers-color-scheme:dark){
.bg{fill:#11151a}.t{fill:#e9ecf0}.d{fill:#9ba5b0}.n{fill:#2a3038}.g{stroke:#363d46}
}
</style>
)";

std::string Text(const char* classes, double x, double y, double size, const std::string& text) {
  return fmt::format("<text class=\"{}\" x=\"{}\" y=\"{}\" font-size=\"{}\">{}</text>\n", classes,
                     SvgNumber(x), SvgNumber(y), size, EscapeXmlText(text));
}

std::string Box(const char* colour, double x, double y, double width, double height) {
  return fmt::format("<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", colour,
                     SvgNumber(x), SvgNumber(y), SvgNumber(width), SvgNumber(height));
}

int RowsOf(const SchedulePanel& panel) { return std::min(panel.schedule.ranks, kSvgRanks); }

// 1, 2 or 5 times a power of ten, so that at most 12 fit.
double TickStep(double longest) {
  const double least = longest / 12;
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double step : {1.0, 2.0, 5.0}) {
    if (step * power >= least) return step * power;
  }
  return 10 * power;
}

// The bytes of the character in front; 0 where they are no UTF-8 or XML has no such character.
size_t XmlCharacter(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(text[i])); };
  const uint32_t lead = byte(0);
  if (lead < 0x80) return lead >= ' ' || lead == '\t' || lead == '\n' ? 1 : 0;
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC0 || lead > 0xF4 || text.size() < length) return 0;
  uint32_t code = lead & (0xFFU >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3F);
  }
  const uint32_t least = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
  const bool surrogate = code >= 0xD800 && code < 0xE000;
  return code < least || code > 0x10FFFF || surrogate || code == 0xFFFE || code == 0xFFFF ? 0
                                                                                          : length;
}

class Picture {
 public:
  explicit Picture(const std::vector<SchedulePanel>& panels)
      : panels_(panels), longest_(LongestMakespan(panels)) {
    double rows = 0, actions = 0;
    for (const SchedulePanel& panel : panels) {
      rows += RowsOf(panel);
      actions += static_cast<double>(panel.prepared.duration.size());
      tints_.emplace_back(panel.schedule);
    }
    pitch_ = std::clamp(std::floor(kRowsHeight / rows), 6.0, 24.0);
    scale_.left = kLeft;
    scale_.scale = longest_ > 0 ? kPlot / longest_ : 0;
    scale_.least = std::max(1.0, 3 * kPlot * rows / kSvgRectangles);
    scale_.height = pitch_ - (pitch_ >= 12 ? 2 : 1);
    scale_.named = actions <= kMostTooltips;
  }

  std::string Draw(const std::string& heading, const std::string& assumptions) {
    double bottom = kHead - kPanelGap;
    for (const SchedulePanel& panel : panels_) bottom += kPanelGap + PanelHeight(panel);
    const double height = bottom + kAxis;
    std::string svg = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
        "height=\"{1}\" role=\"img\">\n<title>{2}</title>\n",
        SvgNumber(kWidth), SvgNumber(height), EscapeXmlText(heading));
    svg += kStyle + Box("bg", 0, 0, kWidth, height);
    svg += Text("t s", 20, 34, 20, heading) + Text("d", 20, 56, 12.5, assumptions);
    svg += Legend() + Axis(bottom);
    double top = kHead;
    for (size_t i = 0; i < panels_.size(); ++i) {
      svg += Panel(i, top);
      top += PanelHeight(panels_[i]) + kPanelGap;
    }
    return svg + "</svg>\n";
  }

 private:
  double PanelHeight(const SchedulePanel& panel) const {
    const bool cut = RowsOf(panel) < panel.schedule.ranks;
    return kPanelHead + RowsOf(panel) * pitch_ + (cut ? 18 : 0);
  }

  // Every n-th rank is named, so that names do not overlap.
  int NamedEvery() const { return static_cast<int>(std::ceil(13 / pitch_)); }

  std::string Panel(size_t number, double top) const {
    const SchedulePanel& panel = panels_[number];
    std::string svg = fmt::format(
        "<text x=\"{}\" y=\"{}\" font-size=\"14\"><tspan class=\"t s\">{}</tspan>"
        "<tspan class=\"d\" dx=\"10\" font-size=\"12.5\">{}</tspan></text>\n",
        SvgNumber(kLeft), SvgNumber(top + 16), EscapeXmlText(panel.name),
        EscapeXmlText(PanelFigures(panel)));
    svg += Text("d e", kWidth - 20, top + 16, 11, "bubble");
    const int rows = RowsOf(panel);
    for (int r = 0; r < rows; ++r) svg += Rank(number, r, top + kPanelHead + r * pitch_);
    if (rows < panel.schedule.ranks) {
      svg += Text("d", kLeft, top + kPanelHead + rows * pitch_ + 13, 11,
                  fmt::format("ranks {} to {} are not shown", rows, panel.schedule.ranks - 1));
    }
    return svg;
  }

  std::string Rank(size_t number, int r, double y) const {
    const SchedulePanel& panel = panels_[number];
    const auto rank = static_cast<size_t>(r);
    const double makespan = panel.timing.makespan;
    std::string svg;
    if (r % NamedEvery() == 0) {
      const double base = y + scale_.height / 2 + 4;
      const double share = makespan > 0 ? panel.timing.bubble[rank] / makespan : 0;
      svg += Text("d e", kLeft - 10, base, 11.5, fmt::format("rank {}", r));
      svg += Text("d e", kWidth - 20, base, 11.5, FormatPercent(share));
    }
    svg += fmt::format("<g transform=\"translate(0,{})\">\n", SvgNumber(y));
    svg += Box("n", kLeft, 0, makespan * scale_.scale, scale_.height);
    return svg + SvgRow(panel, rank, tints_[number], scale_) + "</g>\n";
  }

  std::string Axis(double bottom) const {
    std::string svg;
    const double y = bottom + 8;
    const double step = longest_ > 0 ? TickStep(longest_) : 1;
    for (int i = 0; i * step <= longest_ * (1 + 1e-9); ++i) {
      const double x = kLeft + i * step * scale_.scale;
      svg += fmt::format("<path class=\"g\" d=\"M{0} {1}V{2}\"/>\n", SvgNumber(x),
                         SvgNumber(kHead + kPanelHead - 4), SvgNumber(y + 4));
      svg += Text("d m", x, y + 18, 11.5, fmt::format("{:.6g}", i * step));
    }
    return svg + Text("d e", kLeft - 10, y + 18, 11.5, "time");
  }

  std::string Legend() const {
    constexpr double kTop = 74, kSide = 14;
    double x = 20;
    std::string svg;
    const auto entry = [&](const std::string& boxes, const std::string& text) {
      svg += boxes + Text("d", x + kSide + 7, kTop + 11, 12, text);
      x += kSide + 7 + 6.1 * static_cast<double>(text.size()) + 20;
    };
    entry(Box("f", x, kTop, kSide, kSide), "F forward");
    entry(Box("b", x, kTop, kSide, kSide), "B backward, I its input gradient");
    entry(Box("w", x, kTop, kSide, kSide), "W weight gradient");
    bool pairs = false, chunks = false, directions = false;
    for (size_t i = 0; i < panels_.size(); ++i) {
      pairs |= !panels_[i].prepared.pairs.empty();
      directions |= tints_[i].bidirectional();
      chunks |= tints_[i].any() && !tints_[i].bidirectional();
    }
    if (pairs) {
      entry(Box("f", x, kTop, kSide, kSide / 2) + Box("b", x, kTop + kSide / 2, kSide, kSide / 2),
            "overlapped pair");
    }
    if (directions || chunks) {
      entry(Box("f1", x, kTop, kSide / 2, kSide) + Box("b1", x + kSide / 2, kTop, kSide / 2, kSide),
            !chunks       ? "lighter: second direction"
            : !directions ? "lighter: every other stage of a rank"
                          : "lighter: second direction, or every other stage of a rank");
    }
    entry(Box("n", x, kTop, kSide, kSide), "idle");
    return svg;
  }

  const std::vector<SchedulePanel>& panels_;
  double longest_;
  std::vector<SvgTint> tints_;
  double pitch_ = 0;  // from a row to the next
  SvgScale scale_;
};

}  // namespace

std::string EscapeXmlText(const std::string& text) {
  std::string escaped;
  for (size_t i = 0; i < text.size();) {
    const size_t length = XmlCharacter(std::string_view(text).substr(i));
    const std::string_view character = std::string_view(text).substr(i, length);
    i += std::max<size_t>(length, 1);
    escaped += length == 0         ? "?"
               : character == "&"  ? "&amp;"
               : character == "<"  ? "&lt;"
               : character == ">"  ? "&gt;"
               : character == "\"" ? "&quot;"
                                   : character;
  }
  return escaped;
}

std::string ScheduleSvg(const std::vector<SchedulePanel>& panels, const std::string& heading,
                        const std::string& assumptions) {
  return Picture(panels).Draw(heading, assumptions);
}

}  // namespace pipescope::reports
