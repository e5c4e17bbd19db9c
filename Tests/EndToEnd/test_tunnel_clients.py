"""What clients do, all of it by the tunnel: the tests are those of the other routes, with other fixtures."""

from __future__ import annotations

import pytest

import test_endings
import test_execution
import test_interrupts
import test_lab
import test_restarts
import test_sharing
import test_survival
import test_waiting_cells
from test_endings import exiting as exiting  # fixtures
from test_lab import lab as lab
from test_tunnel import add as add, open_notebook as open_notebook
from test_waiting_cells import alone as alone

pytestmark = pytest.mark.heavy

MODULES = (
    test_endings, test_execution, test_interrupts, test_lab, test_restarts, test_sharing, test_survival, test_waiting_cells,
)  # fmt: skip
# Says nothing of a route.
LEFT_OUT = {"test_the_picture_for_the_readme"}

for module in MODULES:
    vars().update({name: each for name, each in vars(module).items() if name.startswith("test_") and callable(each) and name not in LEFT_OUT})
