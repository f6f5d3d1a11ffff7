"""Training of ensembles: tasks, the forms that carry them out, and the choice among them."""
