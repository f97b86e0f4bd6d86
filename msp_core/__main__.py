"""`python -m msp_core`: the same as `msp`."""

from msp_command import main

if __name__ == "__main__":
    raise SystemExit(main())
