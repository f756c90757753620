# SPDX-License-Identifier: Apache-2.0
# How long the tests of ctest take, in whole seconds of a release build on an idle machine; one second if not named.
set(TOKENCYCLE_QUICK_SECONDS 5)
set(TOKENCYCLE_SECONDS
)
