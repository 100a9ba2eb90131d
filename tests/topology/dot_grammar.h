// A strict reader of the part of the DOT language (graphviz.org/doc/info/lang.html) that undirected
// pictures need: what it takes, `dot` takes.
//
//   graph : 'graph' ID '{' { statement ';' } '}'
//   statement : ID '=' ID | ('node' | 'edge') attributes | ID attributes | ID '--' ID attributes
//   attributes : '[' ID '=' ID { ',' ID '=' ID } ']'
//   ID : letters, digits and _, a number, or "..." in which \ goes before any character
#pragma once

#include <cctype>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pipescope::topology {

struct DotPicture {
  std::map<std::string, std::map<std::string, std::string>> nodes;  // attributes by name
  std::vector<std::pair<std::string, std::string>> edges;
};

class DotReader {
 public:
  explicit DotReader(const std::string& text) : text_(text) { Next(); }

  // Nothing where the text is not of the grammar, or an edge joins what is no node.
  std::optional<DotPicture> Read() {
    if (!Take("graph") || !TakeId() || !Take("{")) return std::nullopt;
    while (token_ != "}" || quoted_) {
      if (!Statement() || !Take(";")) return std::nullopt;
    }
    Next();
    if (!ended_) return std::nullopt;
    for (const auto& [a, b] : picture_.edges) {
      if (!picture_.nodes.contains(a) || !picture_.nodes.contains(b)) return std::nullopt;
    }
    return picture_;
  }

 private:
  void Next() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
    token_.clear();
    quoted_ = false;
    ended_ = at_ == text_.size();
    if (ended_) return;
    const auto is_word = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.';
    };
    if (text_[at_] == '"') {
      Quoted();
    } else if (is_word(text_[at_])) {
      while (at_ < text_.size() && is_word(text_[at_])) token_ += text_[at_++];
    } else if (text_.compare(at_, 2, "--") == 0) {
      token_ = "--";
      at_ += 2;
    } else {
      token_ = text_[at_++];
    }
  }
  void Quoted() {
    quoted_ = true;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && ++at_ == text_.size()) break;
      bad_ |= static_cast<unsigned char>(text_[at_]) < 0x20;
      token_ += text_[at_];
    }
    bad_ |= at_ >= text_.size();  // never closed
    ++at_;
  }
  bool Take(const std::string& word) {
    if (bad_ || ended_ || quoted_ || token_ != word) return false;
    Next();
    return true;
  }
  std::optional<std::string> TakeId() {
    const bool starts =
        quoted_ || (!token_.empty() &&
                    (std::isalnum(static_cast<unsigned char>(token_[0])) || token_[0] == '_'));
    if (bad_ || ended_ || !starts) return std::nullopt;
    if (!quoted_ && std::isdigit(static_cast<unsigned char>(token_[0])) &&
        token_.find_first_not_of("0123456789.") != std::string::npos) {
      return std::nullopt;  // neither a number nor a name
    }
    std::string id = token_;
    Next();
    return id;
  }
  bool Attributes(std::map<std::string, std::string>& attributes) {
    if (!Take("[")) return false;
    do {
      const auto name = TakeId();
      if (!name || !Take("=")) return false;
      const auto value = TakeId();
      if (!value) return false;
      attributes[*name] = *value;
    } while (Take(","));
    return Take("]");
  }
  bool Statement() {
    std::map<std::string, std::string> attributes;
    if (Take("node") || Take("edge")) return Attributes(attributes);
    const auto id = TakeId();
    if (!id) return false;
    if (Take("=")) return TakeId().has_value();
    if (Take("--")) {
      const auto other = TakeId();
      if (!other || !Attributes(attributes)) return false;
      picture_.edges.emplace_back(*id, *other);
      return true;
    }
    return Attributes(attributes) && picture_.nodes.emplace(*id, attributes).second;
  }

  const std::string& text_;
  size_t at_ = 0;
  std::string token_;
  bool quoted_ = false, ended_ = false, bad_ = false;
  DotPicture picture_;
};

}  // namespace pipescope::topology
