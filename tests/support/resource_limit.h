// SPDX-License-Identifier: Apache-2.0
// A limit on what this process may have, for as long as the object lives.
#pragma once

#include <sys/resource.h>

#include <csignal>
#include <stdexcept>

namespace tokencycle::test {

// `resource` as in setrlimit, e.g. RLIMIT_FSIZE: files may not become longer than `most` bytes. That limit's
// signal is ignored, so that the write fails instead.
class ResourceLimit {
 public:
  ResourceLimit(__rlimit_resource_t resource, rlim_t most)
      : resource_(resource), handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    if (getrlimit(resource_, &before_) != 0) throw std::runtime_error("getrlimit failed");
    const rlimit limit{most, before_.rlim_max};
    if (setrlimit(resource_, &limit) != 0) throw std::runtime_error("setrlimit failed");
  }
  ~ResourceLimit() {
    setrlimit(resource_, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  ResourceLimit(const ResourceLimit&) = delete;
  ResourceLimit& operator=(const ResourceLimit&) = delete;

 private:
  __rlimit_resource_t resource_;
  rlimit before_{};
  void (*handler_)(int);
};

}  // namespace tokencycle::test
