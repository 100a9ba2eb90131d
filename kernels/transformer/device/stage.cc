#include "kernels/transformer/device/machine.h"
#include "kernels/transformer/layer_mlp_of.h"
#include "kernels/transformer/stage_of.h"

namespace pipescope::transformer {

template class LatentAttention<device::OnDevice>;
template struct FeedForward<device::OnDevice>;
template class LayerMlp<device::OnDevice>;
template class BasicStage<device::OnDevice>;

}  // namespace pipescope::transformer
