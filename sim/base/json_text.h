// A JSON string, quoted and escaped, for writers that run where no JSON library is: the kernels'
// own binary on a GPU machine.
//
// Quotes, backslashes and control characters are escaped; each byte that is not UTF-8 becomes the
// replacement sign U+FFFD. Example: JsonQuoted("a\"b\n") is "a\"b\n" with its quotes.
// Source: RFC 8259, section 7; well-formed sequences as in the Unicode standard, table 3-7.
#pragma once

#include <string>
#include <string_view>

namespace pipescope {

std::string JsonQuoted(std::string_view text);

}  // namespace pipescope
