"""Deterministic equivalents: training with the NTK on S^d at any sample size, from its spectrum.

For rotation-invariant kernels the risk concentrates around formulas of the spectrum alone (Canatar,
Bordelon, Pehlevan 2021; Simon et al. 2021; Cui et al. 2021), exact as n grows and within a few per
cent from n of about 100.
"""

from initbias.kernels.equivalents.flow import FlowEquivalent
from initbias.kernels.equivalents.ridge import RidgeEquivalent
from initbias.kernels.equivalents.spectrum import sample_spectrum

__all__ = ["FlowEquivalent", "RidgeEquivalent", "sample_spectrum"]
