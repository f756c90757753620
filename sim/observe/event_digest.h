// SPDX-License-Identifier: Apache-2.0
// One number for the whole event stream but what is reported on request (kOnRequest): equal digests mean
// equal events in equal order.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>

#include "base/digest.h"
#include "observe/event.h"

namespace tokencycle::observe {

class EventDigest : public Observer {
 public:
  void on_event(const Event& event) override {
    buffer_[filled_++] = event;
    if (filled_ == kBuffer) flush();
  }
  // Of all events so far; more may follow.
  std::string hex() {
    flush();
    return digest_.hex();
  }
  std::uint64_t count() const { return flushed_ + filled_; }
  // At the end of a step: Digest::fold().
  void fold() {
    flush();
    digest_.fold();
  }
  // After fold() and before another event.
  template <class Archive>
  void serialize(Archive& state) {
    state(digest_, flushed_);
  }

 private:
  static constexpr std::size_t kBuffer = 128;
  void flush() {
    digest_.update(std::as_bytes(std::span(buffer_).first(filled_)));
    flushed_ += filled_;
    filled_ = 0;
  }
  std::array<Event, kBuffer> buffer_{};
  Digest digest_;
  std::size_t filled_ = 0;
  std::uint64_t flushed_ = 0;
};

}  // namespace tokencycle::observe
