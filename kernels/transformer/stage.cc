#include "kernels/transformer/stage_of.h"

namespace pipescope::transformer {

const char* NameOf(PartKind kind) {
  constexpr const char* kNames[kPartKinds] = {"embedding", "attention", "mlp",      "mtp",
                                              "head",      "gate",      "dispatch", "shared",
                                              "experts",   "combine",   "sum"};
  return kNames[static_cast<size_t>(kind)];
}

template class BasicStage<OnCpu>;

}  // namespace pipescope::transformer
