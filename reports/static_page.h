// A page's figures as plain HTML tables: what a reader sees whose browser runs no script, or cannot
// read the packed data. Made from the data block alone, so that a stored result has it too; what is
// missing there is left out.
//
//   {"results": [{"label": "1F1B", "step_time_s": 25.61, ...}]}
//     ->  <table><caption>Schedules</caption>...<td>1F1B</td><td>25.61 s</td>...
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace pipescope::reports {

// Of a report or of a page of many steps; every text of the data is escaped.
std::string StaticTables(const nlohmann::ordered_json& data);

// `<` and `&` as entities: for text between tags.
std::string EscapeHtml(const std::string& text);

}  // namespace pipescope::reports
