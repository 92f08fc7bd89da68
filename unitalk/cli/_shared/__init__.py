"""Everything in the command line that is not a verb."""
