#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The Python package hwcomponents 1.0.114 scales energies by the equations of Stillmaker and Baas (Integration 58, 2017), which have rows for
# high-performance and for low-power transistors. Its rows of 45 and 32 nm are those of low power, its rows from 20 nm on those of high
# performance: at 0.9 V, 32 nm gives 0.541 where the example in the authors' corrigendum to section 4.2.1 has 0.4571, and an energy of 45 nm
# becomes 17 % too small at every node from 20 nm on. (The rows of 45 nm for high performance: 1.018, -0.3107, 0.1539.)
source "$(dirname "$0")/support/steps.sh"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --python-version 3.12 --only-binary=:all: hwcomponents==1.0.114
python3 -m zipfile -e hwcomponents-1.0.114-py3-none-any.whl wheel
found=$(PYTHONPATH=wheel/hwcomponents/scaling python3 - <<'CODE'
import techscaling as scaling  # a module without imports of the package, which wants Python 3.12
volt = 0.9
def energy(row):
    return row[0] * volt**2 + row[1] * volt + row[2]
rows = dict(zip((round(n * 1e9) for n in scaling.TECH_NODES), scaling.ENERGY_SCALING))
high_performance_45 = energy((1.018, -0.3107, 0.1539))
factor = scaling.tech_node_energy(7e-9, 45e-9, volt)
print(f"32 nm {energy(rows[32]):.4f}; 45 to 7 nm {factor:.4f}, by one process {energy(rows[7]) / high_performance_45:.4f}")
CODE
)
expect "factors at 0.9 V" "$found" "32 nm 0.5412; 45 to 7 nm 0.1024, by one process 0.1237"
