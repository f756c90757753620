// SPDX-License-Identifier: Apache-2.0
// A queue in one piece of memory, which grows by doubling and is never given back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace tokencycle {

// Of values that are cheap to copy. References hold until the next push.
template <class T>
class Ring {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  // From the front.
  T& operator[](std::size_t i) { return values_[(first_ + i) & mask()]; }
  const T& operator[](std::size_t i) const { return values_[(first_ + i) & mask()]; }
  T& front() { return values_[first_]; }
  const T& front() const { return values_[first_]; }
  T& back() { return (*this)[size_ - 1]; }
  const T& back() const { return (*this)[size_ - 1]; }

  void push_back(const T& value) {
    if (size_ == values_.size()) grow();
    ++size_;
    back() = value;
  }
  void pop_front() {
    first_ = (first_ + 1) & mask();
    --size_;
  }
  // Behind the first `i`.
  void insert(std::size_t i, const T& value) {
    push_back(value);
    for (std::size_t at = size_ - 1; at > i; --at) std::swap((*this)[at], (*this)[at - 1]);
  }
  // Values [begin, end).
  void erase(std::size_t begin, std::size_t end) {
    for (; end < size_; ++begin, ++end) (*this)[begin] = (*this)[end];
    size_ = begin;
  }

  template <class Archive>
  void serialize(Archive& state) {
    std::uint64_t size = size_;  // NOLINT(misc-const-correctness): a reader changes it
    state(size);
    if constexpr (Archive::is_loading::value) {
      first_ = size_ = 0;
      for (std::uint64_t i = 0; i < size; ++i) push_back({});
    }
    for (std::size_t i = 0; i < size_; ++i) state((*this)[i]);
  }

 private:
  std::size_t mask() const { return values_.size() - 1; }
  void grow() {
    std::vector<T> more(values_.empty() ? 8 : values_.size() * 2);
    for (std::size_t i = 0; i < size_; ++i) more[i] = (*this)[i];
    values_ = std::move(more);
    first_ = 0;
  }

  std::vector<T> values_;  // a power of two of them
  std::size_t first_ = 0, size_ = 0;
};

}  // namespace tokencycle
