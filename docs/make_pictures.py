"""Draw the README's picture from the sample.

    python docs/make_pictures.py DATASET

Rows are tracks, columns are moments 0.2 s apart; a face is framed in green while its label says
speaking. The picture is reduced to few colours, as it is to be looked at, not learned from.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageOps

from unitalk import Layout, read_groundtruth
from unitalk.layout import faces

SIZE, FRAME, COLUMNS, STEP = 76, 4, 10, 5
TRACKS = (0, 4, 9, 22, 31, 40)


def main(dataset: str) -> None:
    """Write docs/sample.png."""
    layout = Layout(Path(dataset))
    rows = read_groundtruth(layout.csv("val"))
    cell = SIZE + 2 * FRAME + 2
    sheet = Image.new("RGB", (cell * COLUMNS, cell * len(TRACKS)), "white")
    tracks = list(rows.groupby(["video_id", "entity_id"], observed=True, sort=False))
    for line, number in enumerate(TRACKS):
        (video, entity), track = tracks[number]
        folder = layout.track("val", video, entity)
        names = list(faces(folder).values())
        for column in range(COLUMNS):
            moment = column * STEP % len(names)
            speaking = track["label"].iloc[moment] == "SPEAKING_AUDIBLE"
            with Image.open(folder / names[moment]) as face:
                tile = ImageOps.fit(face.convert("RGB"), (SIZE, SIZE), centering=(0.5, 0.6))
            tile = ImageOps.expand(tile, FRAME, "#2e9e4f" if speaking else "#d8d8d8")
            sheet.paste(tile, (column * cell, line * cell))
    sheet.quantize(192).save(Path(__file__).with_name("sample.png"), optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
