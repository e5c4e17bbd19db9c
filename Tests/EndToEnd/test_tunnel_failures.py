"""A launch that fails and a kernel that dies behind the tunnel: the tests are those of the other routes.

The kernelspecs alone are other ones: a kernel that could not be started has no route that could be asked for.
"""

from __future__ import annotations

import pytest

import test_failures
from test_failures import lab as lab, troubled as troubled  # fixtures
from test_tunnel import add as add

pytestmark = pytest.mark.heavy

# About another route; and a browser in front of a kernel that never comes to a route.
LEFT_OUT = {"test_no_route", "test_lab_says_what_to_install"}

vars().update({name: each for name, each in vars(test_failures).items() if name.startswith("test_") and callable(each) and name not in LEFT_OUT})
