// Schedules as one picture: a panel a schedule, a row a rank, time to the right, all on one axis.
//
// The file stands alone: no script, no font and no picture from elsewhere, light or dark as the
// reader's system is (prefers-color-scheme). Colours are of Okabe and Ito's palette, which people
// with any kind of colour vision can tell apart: F #0072B2, B and I #E69F00, W #009E73; idle time
// up to the makespan is grey. What is drawn how is said in schedule_svg_row.h.
//
// Bounded: at most kSvgPanels panels of kSvgRanks rows, and some kSvgRectangles rectangles in all:
// what is narrower than a pixel, or than that number allows, is joined. Small pictures name every
// action and its times in a tooltip.
#pragma once

#include <string>
#include <vector>

#include "reports/schedule_panel.h"

namespace pipescope::reports {

inline constexpr size_t kSvgPanels = 16;
inline constexpr int kSvgRanks = 256;
inline constexpr double kSvgRectangles = 60'000;

// There are 1 to kSvgPanels panels. `heading` stands above them, such as the sizes, `assumptions`
// below it, such as the costs; both are plain text.
std::string ScheduleSvg(const std::vector<SchedulePanel>& panels, const std::string& heading,
                        const std::string& assumptions);

// Plain text inside XML.
std::string EscapeXmlText(const std::string& text);

}  // namespace pipescope::reports
