#include "sim/model/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>

#include "sim/model/parameters.h"

namespace pipescope::model {
namespace {

constexpr size_t kMaxLetters = 100'000;

// Recursive descent over the notation; `depth` bounds the recursion.
class Expander {
 public:
  explicit Expander(const std::string& text) : text_(text) {}

  Result<std::string> Run() {
    std::string letters;
    if (auto ok = Sequence(letters, 0); !ok) return Fail(ok.error());
    if (at_ < text_.size()) return Fail(Wrong("unmatched ')'"));
    return letters;
  }

 private:
  Error Wrong(const std::string& why) const {
    return {fmt::format("layout '{}', at character {}: {}", text_.substr(0, 120), at_ + 1, why)};
  }

  Status Sequence(std::string& out, int depth) {
    if (depth > 8) return Fail(Wrong("groups are nested more than 8 deep"));
    while (at_ < text_.size() && text_[at_] != ')') {
      const char c = text_[at_];
      std::string item;
      if (c == '(') {
        ++at_;
        if (auto ok = Sequence(item, depth + 1); !ok) return ok;
        if (at_ >= text_.size()) return Fail(Wrong("missing ')'"));
        ++at_;
      } else if (std::string_view("EtmL|").find(c) != std::string_view::npos) {
        item = std::string(1, c);
        ++at_;
      } else if (c == ',' || c == ' ') {
        ++at_;
        continue;
      } else {
        return Fail(
            Wrong(fmt::format("unknown letter '{}'; expected E, t, m, L, | or a group", c)));
      }
      auto times = Repeat();
      if (!times) return Fail(times.error());
      if (out.size() + item.size() * *times > kMaxLetters) return Fail(Wrong("is too long"));
      for (size_t i = 0; i < *times; ++i) out += item;
    }
    return {};
  }

  Result<size_t> Repeat() {
    if (at_ >= text_.size() || text_[at_] != '*') return size_t{1};
    ++at_;
    size_t times = 0;
    const char* begin = text_.data() + at_;
    const auto [end, code] = std::from_chars(begin, text_.data() + text_.size(), times);
    if (code != std::errc() || times == 0 || times > kMaxLetters) {
      return Fail(Wrong("expected a count from 1 after '*'"));
    }
    at_ += static_cast<size_t>(end - begin);
    return times;
  }

  const std::string& text_;
  size_t at_ = 0;
};

// Layers and MTP modules that the letters named so far.
struct Counted {
  int layers = 0, mtp = 0;
};

// The blocks of one letter, after those of the stage's letters before it.
void AddBlocks(char letter, const ModelConfig& model, Counted& counted,
               std::vector<Block>& blocks) {
  if (letter == 'E') {
    blocks.push_back({BlockKind::kEmbedding});
  } else if (letter == 't') {
    // One too many is counted on, for ToBlocks' error.
    const int index = std::min(counted.layers++, model.layers() - 1);
    blocks.push_back({BlockOf(model.KindOf(index)), index});
  } else if (letter == 'm') {
    blocks.push_back({BlockKind::kMtpProjection, -1, true});
    blocks.push_back({BlockOf(model.KindOf(-1)), -1, true});
    blocks.push_back({BlockKind::kHead, -1, true});
    ++counted.mtp;
  } else if (letter == 'L') {
    blocks.push_back({BlockKind::kHead});
  }
}

// Checks that the letters make up the model and turns them into blocks.
Result<Layout> ToBlocks(const std::string& letters, const ModelConfig& model) {
  const auto fail = [&](const std::string& why) {
    return Fail(fmt::format("layout '{}': {}", letters.substr(0, 120), why));
  };
  Layout layout(1);
  Counted counted;
  std::string seen;
  for (const char c : letters) {
    if (c == '|') {
      layout.emplace_back();
      continue;
    }
    if (c == 'E' && !seen.empty()) return fail("the embedding E must come first");
    if (c == 't' && counted.mtp > 0) return fail("a layer t comes after the MTP module m");
    if (seen.ends_with('L')) return fail("the head L must come last");
    layout.back().text += c;
    AddBlocks(c, model, counted, layout.back().blocks);
    seen += c;
  }
  if (!seen.starts_with('E')) return fail("the embedding E must come first");
  if (!seen.ends_with('L')) return fail("the head L must come last");
  if (counted.layers != model.layers()) {
    return fail(fmt::format("holds {} layers; the model has {}", counted.layers, model.layers()));
  }
  if (counted.mtp != model.mtp_modules) {
    return fail(
        fmt::format("holds {} MTP modules; the model has {}", counted.mtp, model.mtp_modules));
  }
  return layout;
}

}  // namespace

Result<Layout> ParseLayout(const std::string& text, const ModelConfig& model) {
  auto letters = Expander(text).Run();
  if (!letters) return Fail(letters.error());
  while (letters->ends_with('|')) letters->pop_back();
  auto layout = ToBlocks(*letters, model);
  if (!layout) return layout;
  for (size_t s = 0; s < layout->size(); ++s) {
    if ((*layout)[s].blocks.empty()) {
      return Fail(fmt::format("layout '{}': stage {} is empty", text.substr(0, 120), s));
    }
  }
  return layout;
}

Result<Layout> ParseLayout(const std::string& text, const ModelConfig& model, int stages) {
  auto layout = ParseLayout(text, model);
  if (layout && static_cast<int>(layout->size()) != stages) {
    return Fail(fmt::format("layout '{}': holds {} stages; the plan has {}", text.substr(0, 120),
                            layout->size(), stages));
  }
  return layout;
}

Result<Layout> BalancedLayout(const ModelConfig& model, int stages) {
  if (stages > model.layers()) {
    return Fail(
        fmt::format("{} stages do not fit: the model has {} layers", stages, model.layers()));
  }
  // Work in layers: the head, and per MTP module a projection, a layer and a head.
  const double layer_work = static_cast<double>(ActiveLayerParameters(model));
  const double head = static_cast<double>(model.hidden * model.vocabulary) / layer_work;
  const double tail = head + model.mtp_modules * (1 + head);
  const double target = (model.layers() + tail) / stages;
  std::vector<int> counts(static_cast<size_t>(stages), 0);
  const int last = std::max(stages == 1 ? model.layers() : 0,
                            static_cast<int>(std::lround(std::max(0.0, target - tail))));
  counts.back() = std::min(last, model.layers() - (stages - 1));
  const int rest = model.layers() - counts.back();
  for (int i = 0; i < rest && stages > 1; ++i) {
    // The middle stages take the remainder first: the first one has the embedding as well.
    const int position = stages - 2 - i % (stages - 1);
    ++counts[static_cast<size_t>(position)];
  }
  std::string text = "E";
  for (size_t s = 0; s < counts.size(); ++s) {
    text += std::string(static_cast<size_t>(counts[s]), 't');
    if (s + 1 < counts.size()) text += '|';
  }
  text += std::string(static_cast<size_t>(model.mtp_modules), 'm') + "L";
  return ParseLayout(text, model, stages);
}

std::string PrintLayout(const Layout& layout) {
  std::string text;
  for (const StageLayout& stage : layout) text += (text.empty() ? "" : "|") + stage.text;
  return text;
}

}  // namespace pipescope::model
