"""Active speaker detection data and scores you can trust.

>>> import unitalk
>>> result = unitalk.evaluate("val_orig.csv", "predictions.csv")  # doctest: +SKIP
>>> result.average_precision  # doctest: +SKIP
0.8320134

Importing this package imports nothing heavy: each public name is fetched when it is first used.
"""

import lazy_loader

# The public names, `__version__` among them, are those of `__init__.pyi`.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
