"""Germs: numbers that know how they change near a point. What flows through gates where a limit is asked for."""

from gategrad.germs import gates as gates
from gategrad.germs import protocol as protocol
from gategrad.germs.germ import Germ as Germ
from gategrad.germs.germ import beside as beside

__all__ = ["Germ", "beside"]
