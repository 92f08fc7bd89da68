#!/usr/bin/env python3
"""The reference's command line, for training scripts that parse its one line of output.

    python tool/get_ava_active_speaker_performance.py -g groundtruth.csv -p predictions.csv

prints `average precision: 83.20%` and nothing else on stdout. The join is this package's, so that
rows which do not match are an error instead of vanishing; the order within ties is the reference's.
Prefer `unitalk eval`, whose number does not depend on the order of rows.
"""

import argparse
import sys

from unitalk import UnitalkError, reference_score


def main() -> int:
    """Parse, score, print."""
    parser = argparse.ArgumentParser(description="AVA's average precision, as its authors print it")
    parser.add_argument("-g", "--groundtruth", required=True, help="csv file of the ground truth")
    parser.add_argument("-p", "--predictions", required=True, help="csv file of the predictions")
    parser.add_argument("-v", "--verbose", action="store_true", help="say on stderr what was read")
    arguments = parser.parse_args()
    if arguments.verbose:
        print(f"scoring {arguments.predictions} on {arguments.groundtruth}", file=sys.stderr)
    try:
        score = reference_score(arguments.groundtruth, arguments.predictions)
    except UnitalkError as error:
        print(error.message, *filter(None, [error.hint]), sep="\n  -> ", file=sys.stderr)
        return error.exit_code
    print(f"average precision: {100 * score:2.2f}%")
    return 0


if __name__ == "__main__":
    sys.exit(main())
