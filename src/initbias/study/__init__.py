"""What every study is made of.

shards.py    the jobs of the measure stage and what each is expected to take
fields.py    parts of configurations
cells.py     how a shard is measured, cell by cell, and how runs ended
columns.py   columns of measurements and estimates, as the documentation lists them
tables.py    the one schema of estimates, and how rows are chosen and written
claims.py    published claims, and the rules by which estimates become verdicts
outputs.py   the figures and tables that a study declares
drawing.py   looks, panels and legends of figures
images.py    sizes of image data sets, which plans need without loading them
"""
