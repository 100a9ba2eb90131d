#include "topology/import/known_gpus.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace pipescope::topology {
namespace {

KnownGpu Make(const char* name, int pci, int sm, int links, int sms, double bf16, double fp8,
              double fp32, int64_t mebibytes, double gigabytes_per_second) {
  return {{name, sms, Teraflops(bf16), Teraflops(fp8), Teraflops(fp32), Bytes(mebibytes << 20),
           GigabytesPerSecond(gigabytes_per_second)},
          pci,
          sm,
          links};
}

std::string Plain(const std::string& name) {
  std::string plain;
  for (char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c))) {
      plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return plain;
}

}  // namespace

std::span<const KnownGpu> KnownGpus() {
  // V100 has no BF16: the rate of FP16 on its tensor cores stands there.
  static const std::vector<KnownGpu> kAll = {
      Make("V100 SXM2 16 GB", 0x1db1, 70, 6, 80, 125, 0, 15.7, 16160, 900),
      Make("V100 SXM2 32 GB", 0x1db5, 70, 6, 80, 125, 0, 15.7, 32510, 900),
      Make("A100 SXM4 40 GB", 0x20b0, 80, 12, 108, 312, 0, 19.5, 40960, 1555),
      Make("A100 SXM4 80 GB", 0x20b2, 80, 12, 108, 312, 0, 19.5, 81920, 2039),
      Make("A100 PCIe 80 GB", 0x20b5, 80, 12, 108, 312, 0, 19.5, 81920, 1935),
      Make("A800 SXM4 80 GB", 0x20f3, 80, 8, 108, 312, 0, 19.5, 81920, 2039),
      Make("L40S", 0x26b9, 89, 0, 142, 362.05, 733, 91.6, 46068, 864),
      Make("H100 SXM5 80 GB", 0x2330, 90, 18, 132, 989.4, 1978.9, 66.9, 81559, 3350),
      Make("H100 PCIe 80 GB", 0x2331, 90, 18, 114, 756, 1513, 51.2, 81559, 2000),
      Make("H800 SXM5 80 GB", 0x2324, 90, 8, 132, 989.4, 1978.9, 66.9, 81559, 3350),
      Make("H200 SXM5 141 GB", 0x2335, 90, 18, 132, 989.4, 1978.9, 66.9, 143771, 4800),
      Make("H20", 0x2329, 90, 18, 78, 148, 296, 44, 97871, 4000),
      Make("B200", 0x2901, 100, 18, 148, 2250, 4500, 75, 183359, 7700),
      Make("GB200", 0x2941, 100, 18, 148, 2500, 5000, 80, 189471, 8000)};
  return kAll;
}

const KnownGpu* FindByPci(const std::string& device) {
  const std::string digits = device.starts_with("0x") ? device.substr(2) : device;
  int number = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  if (error != std::errc() || end != digits.data() + digits.size()) return nullptr;
  for (const KnownGpu& known : KnownGpus()) {
    if (known.pci_device == number) return &known;
  }
  return nullptr;
}

const KnownGpu* FindByName(const std::string& name) {
  for (const KnownGpu& known : KnownGpus()) {
    if (Plain(known.gpu.name) == Plain(name)) return &known;
  }
  return nullptr;
}

std::vector<std::string> KnownGpuNames() {
  std::vector<std::string> names;
  for (const KnownGpu& known : KnownGpus()) names.push_back(known.gpu.name);
  return names;
}

Bandwidth LinkRate(int sm) {
  if (sm == 70 || sm == 80) return GigabytesPerSecond(20);
  if (sm == 90) return GigabytesPerSecond(20.6);
  return GigabytesPerSecond(sm == 100 ? 40.1 : 0);
}

Bandwidth LinkNominalRate(int sm) {
  return GigabytesPerSecond(sm == 70 || sm == 80 || sm == 90 ? 25 : sm == 100 ? 50 : 0);
}

}  // namespace pipescope::topology
