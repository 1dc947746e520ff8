"""`python -m tuneproof`: the same as the command `tuneproof`."""

from tuneproof.cli import main

if __name__ == "__main__":
    main()
