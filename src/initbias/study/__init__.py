"""What every study is made of.

shards.py    the jobs of the measure stage and what each is expected to take
fields.py    parts of configurations
cells.py     how a shard is measured, cell by cell
tables.py    rows of tidy tables
claims.py    published claims with verdicts
outputs.py   the figures and tables that a study declares
drawing.py   the look that all figures share
rates.py     what a core does in a second, from which designs estimate costs
images.py    sizes of image data sets, which plans need without loading them
"""
