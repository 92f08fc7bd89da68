"""`python -m unitalk`."""

from unitalk.cli.main import main

if __name__ == "__main__":
    main()
