"""What one core does in a second, measured; designs estimate from it what their shards take.

The core is that of docs/benchmarks.md, beside another one that was busy, too. Where shards of a plan
are measured already, `initbias plan` corrects its estimates by what they took.
"""

START = 4.0  # seconds to import the libraries and to load compiled loops
START_FUSED = 2.0  # likewise, where nothing but the fused form is needed, which is without torch
NETWORKS = 4.5e10  # multiply-adds of the fused form of training
LAYERS = 4e10  # multiply-adds of the layered form, beside a step's other work
LAYERS_STEP = 4e-4  # seconds of a step of the layered form that no size changes
LAYERS_WEIGHTS = 30  # points whose products take as long as a step's passes over the weights
CHAINS = 1e9  # multiply-adds of descent of small linear chains
DECOMPOSITIONS = 3e10  # floating-point operations, float64, n about 1,000
