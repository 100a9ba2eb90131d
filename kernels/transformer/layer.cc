#include "kernels/transformer/layer_mlp_of.h"
#include "kernels/transformer/layer_of.h"

namespace pipescope::transformer {

template class LatentAttention<OnCpu>;
template struct FeedForward<OnCpu>;
template class LayerMlp<OnCpu>;

}  // namespace pipescope::transformer
