# SPDX-License-Identifier: Apache-2.0
# How long the tests of ctest take, in whole seconds of one processor in a release build; one second if not named.
set(TOKENCYCLE_QUICK_SECONDS 5)
set(TOKENCYCLE_SECONDS
  readme=120 claims=38 system.families=34 explore=13 package=15 cycles=40 page=110 page_sweep=20 terminal=23 slurm=45 python=60
  system.bundled_model=16 cli.checkpoint=13 observe=13 consumers_perfetto=12 system.arrays=12 system.stories=11
  config=13 compiler=25 technology=10 system.formats=85 model.reference_stories=8 proof.closed_forms=6 rtl.pipeline=6 cli.interrupt=7
  cli.faults=6 engine=50 system.timing_only=5 system.dram_waves=5 tree=5 cycles_comparer=5 fuzz_replay=5 memory.dram_reference=4
  model.tokenizer_hostile=3 timing.streaming=3 system.checkpoint=3 system.equality=3 system.top_down=3
  cli.validate=9 cli.batch=20 memory.command_dram=2 timing.clocking=2 system.command_memory=2 cli.exit_codes=2)
