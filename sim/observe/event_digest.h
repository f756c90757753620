// SPDX-License-Identifier: Apache-2.0
// One number for the whole event stream: equal digests mean equal events in equal order.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/digest.h"
#include "observe/event.h"

namespace tokencycle::observe {

class EventDigest : public Observer {
 public:
  EventDigest() { buffer_.reserve(kBuffer); }
  void on_event(const Event& event) override {
    buffer_.push_back(event);
    ++count_;
    if (buffer_.size() == kBuffer) flush();
  }
  // Of all events so far; more may follow.
  std::string hex() {
    flush();
    return digest_.hex();
  }
  std::uint64_t count() const { return count_; }

 private:
  static constexpr std::size_t kBuffer = 128;
  void flush() {
    digest_.update(std::as_bytes(std::span(buffer_)));
    buffer_.clear();
  }
  std::vector<Event> buffer_;
  Digest digest_;
  std::uint64_t count_ = 0;
};

}  // namespace tokencycle::observe
