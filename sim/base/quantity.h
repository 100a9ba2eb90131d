// Quantities as people write them, and back: a number and its unit, bits and bytes told apart.
//
//   duration    ps ns us ms s min h            "3.7 us"
//   size        B kB MB GB TB (powers of 1000), KiB MiB GiB TiB (powers of 1024)    "80 GiB"
//   bandwidth   a size "/s", or bps kbps Mbps Gbps Tbps: BITS per second    "400 Gbps" = "50 GB/s"
//   flop rate   GFLOPS TFLOPS PFLOPS           "989.4 TFLOPS"
//
// A number without unit is an error, since 400 may be bits or bytes. Numbers that count things may
// end in k M G T (powers of 1000, as in kB) or Ki Mi Gi Ti (powers of 1024, as in KiB): 1.5M is
// 1500000, 4k is 4000 and 4Ki is 4096.
#pragma once

#include <string>
#include <string_view>

#include "sim/base/result.h"
#include "sim/base/units.h"

namespace pipescope {

// A finite decimal number, with its suffix, that fills all of `text`; fails otherwise.
Result<double> ParseNumber(std::string_view text);

// Each fails with "expected a ... with its unit, such as ..." and never accepts a negative value.
Result<Duration> ParseDuration(std::string_view text);
Result<Bytes> ParseBytes(std::string_view text);
Result<Bandwidth> ParseBandwidth(std::string_view text);
Result<FlopRate> ParseFlopRate(std::string_view text);

// Three or four significant digits and the unit that keeps the number between 1 and 1000.
std::string Format(Duration value);     // "1.174 ms"
std::string Format(Bytes value);        // "58.72 MB"; sizes of memory read better with FormatGiB
std::string Format(Bandwidth value);    // "50.00 GB/s"
std::string Format(FlopRate value);     // "989.4 TFLOPS"
std::string FormatGiB(Bytes value);     // "63.41 GiB"
std::string FormatCount(double value);  // "671.0 G"
std::string FormatPercent(double share, int decimals = 1);  // 0.0423 -> "4.2 %"

}  // namespace pipescope
