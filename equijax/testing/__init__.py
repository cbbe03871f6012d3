"""Property testing of symmetry: `assert_equivariant`, its `strategies`, and `audit` for Flax modules."""

from equijax.testing import strategies as strategies
from equijax.testing.assertion import assert_commutes as assert_commutes
from equijax.testing.assertion import assert_equivariant as assert_equivariant
from equijax.testing.auditing import audit as audit
from equijax.testing.report import AuditReport as AuditReport
from equijax.testing.report import Call as Call
