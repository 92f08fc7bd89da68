"""The generated parts of the documentation, made from the program itself.

Pages call these modules from their cog blocks. `cog -r -I docs README.md docs/*/*.md`
renews them; `.ci/run` fails when one is out of date.
"""
