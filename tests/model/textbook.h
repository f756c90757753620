// SPDX-License-Identifier: Apache-2.0
// A transformer in binary64 that shares nothing with the reference but the decoding of rows.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "model/reference/reference.h"
#include "numerics/blocks.h"

namespace tokencycle::test {

using Row = std::vector<double>;

inline Row decoded(const model::Weight& w, std::uint32_t row) {
  std::vector<float> values(w.cols);
  decode_row(w.format, w.row(row), 0, values);
  return {values.begin(), values.end()};
}

// The weight of the operator of this name.
inline const model::Weight& weight_of(const model::LlamaModel& model, const std::string& name) {
  return *model.graph().find(name).weight;
}

inline Row product(const model::Weight& w, const Row& x) {
  Row y(w.rows);
  for (std::uint32_t n = 0; n < w.rows; ++n) {
    const Row row = decoded(w, n);
    y[n] = std::inner_product(x.begin(), x.end(), row.begin(), 0.0);
  }
  return y;
}

inline Row normalized(const Row& x, const model::Weight& gain, double epsilon) {
  const double mean = std::inner_product(x.begin(), x.end(), x.begin(), 0.0) / static_cast<double>(x.size());
  Row y = decoded(gain, 0);
  for (std::size_t i = 0; i < x.size(); ++i) y[i] *= x[i] / std::sqrt(mean + epsilon);
  return y;
}

// The transformer as a textbook writes it: binary64, no cache, no graph, all positions at once.
class Textbook {
 public:
  explicit Textbook(const model::LlamaModel& model) : model_(model), shape_(model.shape()) {}

  // Logits after the last token.
  Row logits(const std::vector<model::TokenId>& tokens) const {
    std::vector<Row> x;
    for (const model::TokenId token : tokens) x.push_back(decoded(weight_of(model_, "embedding"), token));
    for (std::uint32_t i = 0; i < shape_.layers; ++i) add_layer(i, x);
    return product(weight_of(model_, "output"),
                   normalized(x.back(), weight_of(model_, "output_norm"), shape_.norm_epsilon));
  }

 private:
  void add_layer(std::uint32_t layer, std::vector<Row>& x) const {
    const auto w = [&](const char* name) -> const model::Weight& {
      return weight_of(model_, "blk." + std::to_string(layer) + "." + name);
    };
    const std::string prefix = "blk." + std::to_string(layer) + ".";
    const auto projected = [&](const std::string& name, const Row& h) {
      Row y = product(w(name.c_str()), h);
      const model::Weight* bias = model_.graph().find(prefix + name).bias;
      if (bias != nullptr) add(y, decoded(*bias, 0));
      return headwise(prefix + name + "_norm", std::move(y));
    };
    std::vector<Row> q, k, v;
    for (std::size_t p = 0; p < x.size(); ++p) {
      const Row h = normalized(x[p], w("attn_norm"), shape_.norm_epsilon);
      q.push_back(turned(projected("attn_q", h), p));
      k.push_back(turned(projected("attn_k", h), p));
      v.push_back(projected("attn_v", h));
    }
    for (std::size_t p = 0; p < x.size(); ++p) {
      add(x[p], product(w("attn_output"), attention(q[p], k, v, p)));
      const Row h = normalized(x[p], w("ffn_norm"), shape_.norm_epsilon);
      if (shape_.experts == 0) {
        add(x[p], gated(w("ffn_gate"), w("ffn_up"), w("ffn_down"), h));
        continue;
      }
      const Row shares = shares_of(product(w("ffn_gate_inp"), h), has(prefix + "ffn_weights_norm"));
      for (std::uint32_t e = 0; e < shape_.experts; ++e) {
        if (shares[e] == 0) continue;
        Row y =
            gated(w("ffn_gate_exps").expert(e), w("ffn_up_exps").expert(e), w("ffn_down_exps").expert(e), h);
        for (double& value : y) value *= shares[e];
        add(x[p], y);
      }
    }
  }

  static Row gated(const model::Weight& gate, const model::Weight& up, const model::Weight& down,
                   const Row& x) {
    Row f = product(gate, x);
    const Row u = product(up, x);
    for (std::size_t i = 0; i < f.size(); ++i) f[i] = f[i] / (1.0 + std::exp(-f[i])) * u[i];
    return product(down, f);
  }

  bool has(const std::string& name) const {
    const auto& operators = model_.graph().operators;
    return std::any_of(operators.begin(), operators.end(), [&](const auto& op) { return op.name == name; });
  }

  // What each expert's result counts: the softmax, 0 but for the largest.
  Row shares_of(Row scores, bool renormalized) const {
    double sum = 0, kept = 0;
    for (double& s : scores) sum += s = std::exp(s);
    Row falling = scores;
    std::sort(falling.rbegin(), falling.rend());
    for (double& s : scores) {
      if (s < falling[shape_.experts_used - 1]) s = 0;
      kept += s;
    }
    for (double& s : scores) s /= renormalized ? kept : sum;
    return scores;
  }

  // Each head, or the whole row, normed, where the model has an operator of this name.
  Row headwise(const std::string& name, Row x) const {
    for (const model::Operator& op : model_.graph().operators) {
      if (op.name != name) continue;
      for (std::size_t at = 0; at < x.size(); at += op.norm.columns) {
        const auto head = x.begin() + static_cast<std::ptrdiff_t>(at);
        const Row y = normalized(Row(head, head + op.norm.columns), *op.weight, shape_.norm_epsilon);
        std::copy(y.begin(), y.end(), head);
      }
    }
    return x;
  }

  Row attention(const Row& q, const std::vector<Row>& k, const std::vector<Row>& v, std::size_t last) const {
    const std::size_t dim = shape_.head_dim;
    Row o(q.size(), 0.0);
    for (std::size_t head = 0; head < shape_.heads; ++head) {
      const std::size_t from = head * shape_.kv_heads / shape_.heads * dim;
      Row weight(last + 1, 0.0);
      double sum = 0;
      for (std::size_t t = 0; t <= last; ++t) {
        for (std::size_t i = 0; i < dim; ++i) weight[t] += q[head * dim + i] * k[t][from + i];
        weight[t] = std::exp(weight[t] / std::sqrt(static_cast<double>(dim)));
        sum += weight[t];
      }
      for (std::size_t t = 0; t <= last; ++t) {
        for (std::size_t i = 0; i < dim; ++i) o[head * dim + i] += weight[t] / sum * v[t][from + i];
      }
    }
    return o;
  }

  Row turned(Row x, std::size_t position) const {
    const std::size_t pairs = shape_.rope_dims / 2;
    for (std::size_t head = 0; head < x.size(); head += shape_.head_dim) {
      for (std::size_t i = 0; i < pairs; ++i) {
        const double exponent = -2.0 * static_cast<double>(i) / shape_.rope_dims;
        const double angle =
            static_cast<double>(position) * std::pow(shape_.rope_base, exponent) / shape_.rope_scale;
        const bool adjacent = shape_.rope_pairs == model::RopePairs::adjacent;
        double& a = x[head + (adjacent ? 2 * i : i)];
        double& b = x[head + (adjacent ? 2 * i + 1 : i + pairs)];
        const double turned_a = a * std::cos(angle) - b * std::sin(angle);
        b = a * std::sin(angle) + b * std::cos(angle);
        a = turned_a;
      }
    }
    return x;
  }

  static void add(Row& x, const Row& y) {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[i];
  }

  const model::LlamaModel& model_;
  const model::Hyperparameters& shape_;
};

}  // namespace tokencycle::test
