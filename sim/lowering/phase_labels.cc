#include "sim/lowering/phase_labels.h"

namespace pipescope {

using model::Pass;
using model::PhaseKind;
using timeline::Lane;
using timeline::OperationKind;
using timeline::Part;

namespace {

const char* Letter(Pass pass) {
  return pass == Pass::kForward ? " F" : pass == Pass::kInputGrad ? " I" : " W";
}

std::string SendName(PhaseKind kind) {
  switch (kind) {
    case PhaseKind::kGather:
      return "TP gather";
    case PhaseKind::kScatter:
      return "TP scatter";
    case PhaseKind::kReduce:
      return "TP reduce";
    default:
      return "CP exchange";
  }
}

}  // namespace

timeline::Part PartOf(Pass pass) {
  switch (pass) {
    case Pass::kForward:
      return Part::kForward;
    case Pass::kInputGrad:
      return Part::kInputGrad;
    case Pass::kWeightGrad:
      return Part::kWeightGrad;
  }
  return Part::kNone;
}

timeline::Label LabelFor(PhaseKind kind, Pass pass) {
  switch (kind) {
    case PhaseKind::kAttention:
      return {std::string("attention") + Letter(pass), OperationKind::kAttention, Lane::kCompute,
              PartOf(pass)};
    case PhaseKind::kMlp:
      return {std::string("mlp") + Letter(pass), OperationKind::kMlp, Lane::kCompute, PartOf(pass)};
    case PhaseKind::kEmbedding:
      return {std::string("embedding") + Letter(pass), OperationKind::kEdge, Lane::kCompute,
              PartOf(pass)};
    case PhaseKind::kProjection:
      return {std::string("MTP projection") + Letter(pass), OperationKind::kEdge, Lane::kCompute,
              PartOf(pass)};
    case PhaseKind::kHead:
      return {std::string("head") + Letter(pass), OperationKind::kEdge, Lane::kCompute,
              PartOf(pass)};
    case PhaseKind::kDispatch:
      return {pass == Pass::kForward ? "dispatch F" : "dispatch B", OperationKind::kDispatch,
              Lane::kCommunication, PartOf(pass)};
    case PhaseKind::kCombine:
      return {pass == Pass::kForward ? "combine F" : "combine B", OperationKind::kCombine,
              Lane::kCommunication, PartOf(pass)};
    default:
      return {SendName(kind) + Letter(pass), OperationKind::kCollective, Lane::kCommunication,
              PartOf(pass)};
  }
}

}  // namespace pipescope
