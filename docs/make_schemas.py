"""Write the JSON schemas of all verbs, `unitalk/schemas/<verb>.json`.

python docs/make_schemas.py
"""

from __future__ import annotations

import json
from pathlib import Path

from unitalk import schemas

if __name__ == "__main__":
    folder = Path(schemas.__file__).parent
    for verb in schemas.VERBS:
        text = json.dumps(schemas.generate(verb), indent=1)
        (folder / f"{verb}.json").write_text(text + "\n", encoding="utf-8")
