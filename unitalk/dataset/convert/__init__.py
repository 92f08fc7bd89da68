"""Out: the form that another model's loader reads, one module a form."""
