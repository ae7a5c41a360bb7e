"""``python -m hubframe``."""

from hubframe.apps.cli import main

if __name__ == "__main__":
    main()
