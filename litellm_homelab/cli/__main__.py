"""``python -m litellm_homelab.cli``, for where the console script is not on the path."""

import sys

from litellm_homelab.cli import main

if __name__ == "__main__":
    sys.exit(main())
