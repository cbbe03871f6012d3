"""Measuring symmetry: how far a function is from commuting with a group, and averaging over groups."""

from equijax.equivariance.averaging import symmetrise as symmetrise
from equijax.equivariance.commutator import commutator as commutator
from equijax.equivariance.commutator import error as error
from equijax.equivariance.local import lie_derivative as lie_derivative
from equijax.equivariance.local import local_error as local_error
from equijax.equivariance.projector import Projector as Projector
from equijax.equivariance.projector import basis as basis
from equijax.equivariance.projector import projector as projector
