"""Designs of the distance study: D-Fig1 to D-Fig4, D-S1 to D-S5, and what the paper leaves open."""

from initbias.studies.distance.design.outputs import OUTPUTS
from initbias.studies.distance.design.sections import Section
from initbias.studies.distance.design.shard_plan import plan

__all__ = ["OUTPUTS", "Section", "plan"]
