// SPDX-License-Identifier: Apache-2.0
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

int main(int argc, char* argv[]) {
  return Catch::Session().run(argc, argv);
}

// The SystemC library refers to sc_main; the tests elaborate their modules themselves.
extern "C" int sc_main(int, char*[]) {
  return 0;
}
