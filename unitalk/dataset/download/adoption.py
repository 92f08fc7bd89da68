"""A dataset that the original script made: what is whole is kept, and is said to be unhashed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitalk import schema
from unitalk.dataset.download import receipts
from unitalk.layout import Layout
from unitalk.net.file_check import content_hash
from unitalk.threads import Threads

if TYPE_CHECKING:
    from unitalk.dataset.download.planning import PlannedFile
    from unitalk.dataset.download.video_steps import Job
    from unitalk.progress import Progress


def adopt_csv(job: Job) -> list[str]:
    """Keep the csv files that are the published ones, byte for byte; return their hub paths."""
    root, kept = job.plan.root, []
    for file in job.plan.files:
        path = job.final(file)
        if file.part == "csv" and file.state == "unproven" and path.is_file():
            same = path.stat().st_size == file.size
            if same and content_hash(path, file.remote, job.check_stop) == file.hash:
                receipts.write(root, file.path, file.remote, job.plan.commit)
                kept.append(file.path)
    return kept


def adopt_media(job: Job, jobs: int, progress: Progress) -> list[str]:
    """Keep the sounds and crops that are whole by the published csv; return their hub paths.

    What they were unpacked from is gone, so no hash can prove them; the receipt says so. Looked at
    are names, and the ends of every file.
    """
    found = [file for file in job.plan.files if file.part != "csv" and file.state == "unproven"]
    if not found:
        return []
    with (
        progress.task("looking at what is there", total=len(found), unit="parts") as task,
        Threads(jobs, name="adopt") as pool,
    ):
        kept = []
        try:
            for file, whole in zip(
                found, pool.map(lambda f: _is_whole(job, f), found), strict=True
            ):
                task.advance()
                if whole:
                    path = file.path
                    receipts.write(job.plan.root, path, file.remote, job.plan.commit, unhashed=True)
                    kept.append(path)
        except BaseException:
            job.stop.set()
            raise
    return kept


def _is_whole(job: Job, file: PlannedFile) -> bool:
    from unitalk.dataset.verify import faults_of_part

    job.check_stop()
    if file.part == "csv":
        return False
    places = Layout(job.plan.root)
    csv = places.video_csv(file.split, file.video_id)
    if not csv.is_file():
        return False  # it could not be had; nothing can be said about the rest
    faces = schema.load(csv, "groundtruth")
    return not faults_of_part(places, file.part, file.split, file.video_id, faces)
