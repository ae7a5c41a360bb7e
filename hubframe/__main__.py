"""``python -m hubframe``."""

from hubframe.cli import main

if __name__ == "__main__":
    main()
