"""`unitalk videos`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from unitalk.cli._shared.common_options import category_option, published_splits_option, verb
from unitalk.text_table import align

if TYPE_CHECKING:
    from unitalk.cli._shared.console import Console


@verb("videos")
@published_splits_option
@category_option
@click.option("--ids", "shown", flag_value="ids", help="Print only the ids, one a line.")
@click.option("--links", "shown", flag_value="links", help="Print only the links, one a line.")
def command(
    console: Console, *, splits: tuple[str, ...], categories: tuple[str, ...], shown: str | None
) -> None:
    """List the videos of UniTalk.

    Save the output of --ids for `unitalk trim --list FILE` or --video @FILE.
    """
    from unitalk.catalog import video_list

    chosen = video_list.select(splits=splits, categories=categories)
    if shown:
        text = "\n".join(v.video_id if shown == "ids" else v.link for v in chosen)
    else:
        rows = [[v.video_id, v.split, v.category, v.link] for v in chosen]
        text = align([["video_id", "split", "category", "link"], *rows])
    console.emit(video_list.VideoList(videos=chosen), text)
