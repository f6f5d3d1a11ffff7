"""Networks of any depth on a CPU or a GPU: matrix products over blocks of the sample."""
