#include "kernels/device.h"

namespace pipescope::kernels {

DeviceInfo QueryDevice() {
  DeviceInfo info;
  info.note = "built without CUDA";
  return info;
}

}  // namespace pipescope::kernels
